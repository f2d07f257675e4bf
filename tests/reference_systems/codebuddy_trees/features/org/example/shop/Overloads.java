package org.example.shop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** Overloads that call fuller overloads, as others take for calls of themselves. */
public class Overloads {
    private final List<String> seen = new ArrayList<>();
    private int count = 3;
    static final int LIMIT = 10;
    static int made = compute(LIMIT);

    {
        seen.add("made");
    }

    static {
        made += compute(made, 2);
    }

    public Overloads() {
        this(1);
    }

    public Overloads(int count) {
        this.count = count;
        seen.clear();
    }

    public Overloads(String... names) {
        seen.addAll(Arrays.asList(names));
    }

    static int compute(int a) {
        return compute(a, 1);
    }

    static int compute(int a, int b) {
        return compute(a, b, 0L);
    }

    static int compute(int a, int b, long c) {
        return a + b + (int) c;
    }

    void put(Object one) {
        put(one, true);
    }

    void put(String one) {
        put((Object) one);
    }

    void put(Object one, boolean twice) {
        if (twice) {
            put(one.toString());
        }
        seen.add(String.valueOf(one));
    }

    void put(int one) {
        put((long) one);
    }

    void put(long one) {
        put(Long.valueOf(one), false);
    }

    void many(String first, Object... rest) {
        many(first);
        many(first, rest);
        many(first, rest.length, count);
    }

    void many(String only) {
        count++;
        this.count += only.length();
    }

    int total(Collection<? extends Number> numbers) {
        int sum = 0;
        for (Number number : numbers) {
            sum += number.intValue();
        }
        for (var text : seen) {
            sum += text.length();
        }
        return sum;
    }

    char[] letters() {
        char[] copy = seen.get(0).toCharArray().clone();
        return copy.length > 0 ? copy : new char[] {Character.toUpperCase('x')};
    }
}
