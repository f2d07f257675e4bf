import java.util.List;

/** Record patterns, guards and patterns in switch: Java 21, in no package. */
class Patterns {
    sealed interface Shape {}

    record Point(int x, Label label) {}

    record Label(String text) {
        int size() { return text.length(); }
    }

    record Circle(Point middle, double radius) implements Shape {
        double area() { return Math.PI * radius * radius; }
    }

    record Box<T>(T content) implements Shape {}

    static double size(Object o) {
        return switch (o) {
            case null -> 0;
            case Circle c when c.area() > 1 -> c.area() + c.middle().x();
            case Circle(Point(int x, Label label), var radius) -> label.size() + helper(x);
            case Box<?>(String s) -> s.strip().length();
            case String s -> s.isBlank() ? 1 : s.indent(2).length();
            case List<?> list when !list.isEmpty() -> size(list.getFirst());
            case int[] numbers -> numbers.clone().length;
            default -> o.hashCode();
        };
    }

    static int helper(Object x) {
        if (x instanceof Point(var a, Label(var text)) && a > 0) {
            return text.length();
        }
        return x.toString().length();
    }
}
