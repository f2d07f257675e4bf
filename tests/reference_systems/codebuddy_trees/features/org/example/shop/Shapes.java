package org.example.shop;

import static java.lang.Math.max;
import static org.example.util.Helper.*;

import java.io.Closeable;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.example.util.Box;
import org.example.util.Helper;

/** Interfaces, inheritance, generics, lambdas, anonymous and local classes. */
public abstract class Shapes<T extends Shapes.Shape & Comparable<T>> implements Iterable<T> {
    interface Shape {
        double area();

        default double twice() {
            return area() * scale();
        }

        private double scale() {
            return 2;
        }

        static Shape of(double side) {
            return new Square(side);
        }
    }

    static class Square implements Shape, Comparable<Square> {
        private final double side;

        Square(double side) {
            super();
            this.side = side;
        }

        @Override
        public double area() {
            return side * side;
        }

        @Override
        public int compareTo(Square other) {
            return Double.compare(area(), other.area());
        }

        @Override
        public String toString() {
            return "square " + super.toString() + area();
        }
    }

    static final class Tile extends Square {
        Tile() {
            super(max(1, 2));
        }

        @Override
        public double area() {
            return super.area() + twice() + Shapes.name(this).length();
        }
    }

    class Inner {
        int at = size();

        Inner next() {
            return new Inner() {
                {
                    at = Shapes.this.size();
                }

                @Override
                Inner next() {
                    return Inner.this.next().next();
                }
            };
        }

        class Deeper {
            int total() {
                return at + size() + Shapes.this.kept.size();
            }
        }
    }

    enum Kind implements Supplier<String> {
        PLAIN,
        ROUND("r") {
            @Override
            public String get() {
                return label().trim() + name();
            }
        },
        FLAT(helped("f"));

        private final String label;

        Kind() {
            this("none");
        }

        Kind(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }

        @Override
        public String get() {
            return values().length + valueOf("FLAT").label();
        }
    }

    private final Map<String, List<T>> kept = new HashMap<>();
    protected T first;
    private final Comparator<T> order = Comparator.comparing(T::area).thenComparing(s -> s.twice());
    private Runnable task = () -> counted(kept.size());

    int size() {
        return kept.values().stream().mapToInt(List::size).sum();
    }

    static String name(Shape shape) {
        return shape.getClass().getSimpleName() + shape.hashCode() + shape.equals(null);
    }

    String names() {
        return kept.entrySet().stream()
            .filter(e -> !e.getKey().isEmpty())
            .flatMap(e -> e.getValue().stream().map(v -> new Box<>(v)))
            .sorted((a, b) -> a.get().compareTo(b.get()))
            .map(box -> box.map(Shape::area).get().intValue())
            .map(Helper::helped)
            .collect(Collectors.joining(", "));
    }

    Map<Integer, List<String>> grouped(List<String> words) {
        return words.stream().map(String::trim)
            .collect(Collectors.groupingBy(w -> w.length(), Collectors.mapping(w -> w.toLowerCase(), Collectors.toList())));
    }

    double largest(T one, T other) {
        T found = one.compareTo(other) > 0 ? one : other;
        Function<T, Double> area = T::area;
        Supplier<Square> make = () -> new Square(found.area());
        Function<Double, Square> maker = Square::new;
        Callable<String> call = this::names;
        Function<Integer, int[]> array = int[]::new;
        return area.apply(found) + make.get().area() + maker.apply(2.0).side;
    }

    Iterator<T> again() {
        class Local implements Iterator<T> {
            private int at;

            @Override
            public boolean hasNext() {
                return at++ < size();
            }

            @Override
            public T next() {
                return new Object() {
                    T hidden() {
                        return first;
                    }
                }.hidden();
            }
        }
        Iterator<T> local = new Local();
        while (local.hasNext()) {
            local.next().area();
        }
        return new Iterator<T>() {
            final Iterator<T> inner = new Local();

            @Override
            public boolean hasNext() {
                Runnable nested = new Runnable() {
                    @Override
                    public void run() {
                        inner.hasNext();
                        task.run();
                    }
                };
                nested.run();
                return inner.hasNext();
            }

            @Override
            public T next() {
                return inner.next();
            }
        };
    }

    void close(Closeable given) throws IOException {
        try (Closeable one = given; Closeable two = Box.closing(() -> given.close())) {
            one.close();
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e.getCause());
        } finally {
            counted(1);
        }
        synchronized (this) {
            kept.computeIfAbsent("x", k -> new java.util.ArrayList<>()).add(first);
        }
    }

    void arguments() {
        // the arguments' classes are numbered before the receiver's
        new Object() {
            void take(Object a, Object b) {
                a.hashCode();
            }
        }.take(new Object() { int one() { return 1; } }, ((Supplier<Object>) () -> new Object() { int two() { return one2(); } int one2() { return 2; } }).get());
    }
}
