package org.example.shop;

import java.util.List;
import java.util.Objects;

/** Records, sealed types, switch expressions, text blocks, patterns: Java 14 to 17. */
public class Modern {
    sealed interface Event permits Sale, Refund {
    }

    record Sale(String item, int price) implements Event {
        static int sold;

        Sale {
            Objects.requireNonNull(item);
            sold++;
        }

        int doubled() {
            return price() * 2 + price;
        }
    }

    record Refund(Sale sale, String why) implements Event {
        Refund(Sale sale) {
            this(sale, "none".repeat(2));
        }

        @Override
        public String why() {
            return why.strip();
        }
    }

    record Pair<A, B>(A left, B right) {
        static <X> Pair<X, X> twin(X one) {
            return new Pair<>(one, one);
        }
    }

    @interface Marked {
        String value() default "x";
    }

    @Marked(value = "y")
    int worth(Event event) {
        if (event instanceof Sale sale && sale.price() > 0) {
            return sale.doubled();
        }
        if (!(event instanceof Refund refund)) {
            return 0;
        }
        return -refund.sale().price() + refund.why().length();
    }

    String day(int n) {
        var text = switch (n) {
            case 1, 7 -> "weekend".toUpperCase();
            case 2 -> {
                String monday = """
                    back to "work" // no comment
                    """.strip();
                yield monday.trim();
            }
            default -> String.valueOf(n);
        };
        switch (text) {
            case "x":
                text = text.concat("y");
                break;
            default:
                text.length();
        }
        return text.intern();
    }

    int pairs() {
        var pair = Pair.twin(new Sale("a", 1));
        return pair.left().doubled() + List.of(pair, pair).get(0).right().price()
            + new Pair<>("k", 2).left().length();
    }
}
