package org.example.util;

import java.io.Closeable;
import java.util.function.Function;

public class Box<V> {
    private final V value;

    public Box(V value) {
        this.value = value;
    }

    public V get() {
        return value;
    }

    public <R> Box<R> map(Function<? super V, ? extends R> how) {
        return new Box<>(how.apply(value));
    }

    public static Closeable closing(Closeable one) {
        return one::close;
    }

    public static <A, B extends A> A either(B one, A other) {
        return one == null ? other : one;
    }
}
