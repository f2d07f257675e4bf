package org.example.shop;

import static java.util.stream.Collectors.*;
import static java.util.Comparator.comparing;

import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.*;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class Lambdas {
    static class Order {
        String customer;
        List<Line> lines = new ArrayList<>();

        String customer() { return customer; }
        List<Line> lines() { return lines; }
        int total() { return lines.stream().mapToInt(l -> l.price() * l.count).sum(); }
        Optional<Line> dearest() { return lines.stream().max(comparing(Line::price)); }
        static int byTotal(Order a, Order b) { return Integer.compare(a.total(), b.total()); }
    }

    static class Line {
        int price, count;
        int price() { return price; }
        Line copy(UnaryOperator<Line> change) { return change.apply(this); }
    }

    @FunctionalInterface
    interface Visitor<R, X extends Exception> {
        R visit(Node<?> node, int depth) throws X;
        default Visitor<R, X> twice() { return (n, d) -> { visit(n, d); return visit(n, d + 1); }; }
    }

    static class Node<T extends Comparable<? super T>> {
        T key;
        Node<T> left, right;

        Node(T key) { this.key = key; }
        <R, X extends Exception> R accept(Visitor<R, ? extends X> v, int depth) throws X { return v.visit(this, depth); }
        Node<T> insert(T other) {
            if (other.compareTo(key) < 0) left = left == null ? new Node<>(other) : left.insert(other);
            else right = right == null ? new Node<>(other) : right.insert(other);
            return this;
        }
        class Cursor {
            Node<T> at = Node.this;
            T value() { return at.key; }
            Cursor down() { at = at.left; return this; }
        }
        Cursor cursor() { return this.new Cursor(); }
    }

    private final ExecutorService pool = Executors.newFixedThreadPool(2, r -> new Thread(r, "t".concat("1")));
    private final Map<String, Function<Order, Integer>> rules = new TreeMap<>(Comparator.<String>naturalOrder().reversed());
    final BiFunction<Integer, Integer, Integer> add = Integer::sum;

    Map<String, Integer> totals(Collection<Order> orders) {
        Map<String, Integer> byCustomer = orders.stream().collect(groupingBy(Order::customer, TreeMap::new, summingInt(o -> o.total())));
        byCustomer.forEach((k, v) -> rules.put(k.trim(), o -> o.total() + v.intValue()));
        byCustomer.replaceAll((k, v) -> v + k.length());
        byCustomer.merge("x", 1, Integer::sum);
        return orders.stream().collect(toMap(o -> o.customer(), o -> o.dearest().map(l -> l.price()).orElse(0), (a, b) -> a.intValue() + b.intValue(), LinkedHashMap::new));
    }

    List<Line> sorted(Stream<Order> orders) {
        return orders.sorted(Order::byTotal).flatMap(o -> o.lines().stream())
            .sorted(comparing((Line l) -> l.price()).reversed().thenComparing(l -> l.count, Comparator.reverseOrder()))
            .map(l -> l.copy(c -> { Line made = new Line(); made.price = c.price(); return made; }))
            .peek(l -> System.out.println(l.price()))
            .reduce(new ArrayList<Line>(), (acc, l) -> { acc.add(l); return acc; }, (a, b) -> { a.addAll(b); return a; });
    }

    CompletableFuture<String> later(Order order) throws Exception {
        Future<Integer> sum = pool.submit(() -> order.total());
        pool.submit(() -> { order.total(); });
        pool.execute(order::total);
        int got = sum.get().intValue();
        return CompletableFuture.supplyAsync(order::dearest, pool)
            .thenApply(found -> found.map(Line::price).orElseThrow(() -> new IllegalStateException(order.customer())))
            .thenCombine(CompletableFuture.completedFuture(order), (price, o) -> o.customer().repeat(price))
            .handle((text, error) -> error == null ? text.toUpperCase() : error.getMessage().toLowerCase())
            .whenComplete((text, error) -> order.lines().add(new Line()));
    }

    int counted() {
        AtomicInteger n = new AtomicInteger();
        IntStream.range(0, 3).mapToObj(i -> new int[] {i, n.incrementAndGet()}).filter(p -> p[0] > p.clone()[1]).forEach(p -> n.addAndGet(p[0]));
        Supplier<Supplier<String>> nested = () -> () -> nestedText(n.get());
        Function<Integer, Function<Integer, Integer>> curried = a -> b -> Math.max(a, b);
        Runnable run = () -> { class In { void go() { n.get(); } } new In().go(); };
        run.run();
        return nested.get().get().length() + curried.apply(1).apply(2).intValue() + curried.andThen(f -> f.apply(3)).apply(4);
    }

    private String nestedText(int n) { return Objects.toString(n); }

    <K, V extends Comparable<V>> Optional<Map.Entry<K, V>> largest(Map<K, V> map) {
        Map.Entry<K, V> best = null;
        for (Map.Entry<K, V> e : map.entrySet()) {
            if (best == null || e.getValue().compareTo(best.getValue()) > 0) best = e;
        }
        return Optional.ofNullable(best).filter(b -> map.containsKey(b.getKey()));
    }

    <T extends Comparable<? super T>> int depth(Node<T> node) throws RuntimeException {
        Node<String>.Cursor cursor = new Node<>("a").insert("b").cursor();
        String below = cursor.down().value().trim();
        return node.<Integer, RuntimeException>accept((n, d) -> n.left == null ? d : depth2(n.left), 0)
            + node.new Cursor().value().hashCode() + below.length();
    }

    static int depth2(Node<?> n) { return n.key.hashCode(); }

    static <A, B> List<B> mapped(List<? extends A> from, Function<? super A, ? extends B> how) {
        List<B> to = new ArrayList<>(from.size());
        for (A a : from) to.add(how.apply(a));
        return Collections.unmodifiableList(to);
    }

    void use() {
        List<Integer> lengths = mapped(Arrays.asList("a", "b"), s -> s.trim().length());
        lengths.get(0).compareTo(mapped(lengths, i -> i.toString()).get(0).length());
        BinaryOperator<Integer> op = BinaryOperator.minBy(Comparator.comparing(i -> i.intValue()));
        Object o = (Runnable & java.io.Serializable) () -> use();
        Predicate<String> p = Predicate.not(String::isEmpty).and(s -> s.contains("x")).or(Objects::isNull);
        String[] all = Stream.of("b", "a").sorted(String::compareToIgnoreCase).toArray(String[]::new);
        char c = all[0].charAt(op.apply(1, 2));
        Iterator<? extends CharSequence> it = Set.of("q").iterator();
        while (it.hasNext()) { it.next().charAt(0); }
        StringBuilder sb = new StringBuilder().append(c).append("x").insert(0, 1L).reverse();
        (p.test("x") ? sb : sb.append(2)).append('c').toString().chars().filter(Character::isDigit).count();
        new Thread() { @Override public void run() { super.run(); setName(getName()); Lambdas.this.use(); } }.start();
        Map<String, List<Map<Integer, Order>>> deep = new HashMap<>();
        deep.getOrDefault("k", new ArrayList<>()).get(0).values().iterator().next().lines().get(0).price();
        for (Map.Entry<String, List<Map<Integer, Order>>> e : deep.entrySet())
            e.getValue().stream().flatMap(m -> m.entrySet().stream()).map(Map.Entry::getValue).forEach(v -> v.total());
        Optional.of(new Order()).map(Order::lines).map(List::iterator).filter(Iterator::hasNext).map(Iterator::next).ifPresent(l -> l.price());
        Collections.sort(new ArrayList<Order>(), (x, y) -> x.customer().compareTo(y.customer()));
        Callable<Order> call = Order::new;
        long n = Stream.iterate(1, i -> i + 1).limit(5).mapToLong(Integer::longValue).sum();
        EnumMap<TimeUnit, Order> em = new EnumMap<>(TimeUnit.class);
        em.computeIfAbsent(TimeUnit.DAYS, k -> new Order()).total();
        int[][] grid = {{1}, {2}};
        Arrays.stream(grid).map(row -> row.clone()).mapToInt(row -> row.length).max().getAsInt();
    }
}
