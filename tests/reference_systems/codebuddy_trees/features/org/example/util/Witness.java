package org.example.util;

import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Calls that name the types of the method's own variables. */
class Witness {
    static <X> X same(X x) {
        return x;
    }

    <A, B> Map<A, B> mapped() {
        return null;
    }

    static <T> List<T> none() {
        return null;
    }

    void witnessed() {
        Witness.<List<String>>same(null).get(0).length();
        this.<String, Witness>mapped().get("a").witnessed();
        Witness.<Witness>none().get(0).witnessed();
        Collections.<Witness>emptyList().get(0).witnessed();
        same(Witness.<Witness>none()).get(0).witnessed();
    }
}
