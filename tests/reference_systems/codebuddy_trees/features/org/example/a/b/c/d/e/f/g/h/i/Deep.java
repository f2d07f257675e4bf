package org.example.a.b.c.d.e.f.g.h.i;

import org.example.util.*;

/** Deeper than eight folders, and calls that go in a circle. */
public class Deep {
    int ping(int n) {
        return n == 0 ? 0 : pong(n - 1);
    }

    int pong(int n) {
        return n == 0 ? 1 : new Deep().ping(n - 1) + self(n).ping(0);
    }

    Deep self(int n) {
        return n > 1 ? self(n - 1) : this;
    }

    String text() {
        Box<Box<String>> box = new Box<>(new Box<>("x"));
        return box.get().get().concat(Box.either("a", "b").trim()) + box.map(b -> b.get().length()).get().intValue();
    }
}
