import Glibc
import SardonyxGraph

/// y = the different slices of x along `axis` (without one, the different elements), sorted or in the order they occur.
///
/// `indices` tells where each occurs first, `inverse_indices` which of y's each of x's is, `counts` how often each occurs.
/// Slices are ordered by their first element that differs; NaNs are equal to each other and come last.
///
/// <https://onnx.ai/onnx/operators/onnx__Unique.html>
enum Unique: Operator {
    static let schema = Schema(
        "Unique", versions: [11, 28],
        inputs: [Parameter("X", "T", .movable)],
        outputs: [
            Parameter("Y", "T", .movable), Parameter("indices", "tensor(int64)", [.int64], .optional),
            Parameter("inverse_indices", "tensor(int64)", [.int64], .optional),
            Parameter("counts", "tensor(int64)", [.int64], .optional),
        ],
        attributes: [AttributeSpec("axis", .int), AttributeSpec("sorted", .int)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let shape = context.shape(0)
        if let axis = context.node.int("axis") {
            context.set(
                0, type,
                try shape.map { shape in
                    var result = shape
                    result[try context.axis(axis, rank: shape.count)] = .unknown
                    return result
                })
        } else {
            context.set(0, type, [.unknown])
        }
        for output in 1..<4 { context.set(output, .int64, [.unknown]) }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        var x = try context.tensor(0)
        var axis = 0
        if let named = context.node.int("axis") {
            axis = try normalizedAxis(named, rank: x.shape.count)
        } else {
            x = x.reshaped(to: [x.count])
        }
        let count = x.shape[axis]
        // Where slices have no elements there may be any number of them.
        try context.environment.admit(TensorSpec(dataType: .int64, shape: [4, count]))
        // Slices of no elements are all the same.
        let size = x.shape.enumerated().reduce(1) { $1.offset == axis ? $0 : $0 * $1.element }
        let (order, isNew) = size == 0 ? arrange(count) { _, _ in 0 } : try sorted(x, axis: axis, size: size)

        // The first of a group of equal slices stands before the others, and in x too: the order breaks ties by place.
        var groups: [(first: Int, members: Swift.Range<Int>)] = []
        for (position, new) in isNew.enumerated() {
            if new {
                groups.append((order[position], position..<(position + 1)))
            } else {
                groups[groups.count - 1].members = groups[groups.count - 1].members.lowerBound..<(position + 1)
            }
        }
        if !context.node.flag("sorted", default: true) { groups.sort { $0.first < $1.first } }
        var inverse = [Int](repeating: 0, count: count)
        for (group, entry) in groups.enumerated() {
            for position in entry.members { inverse[order[position]] = group }
        }
        let firsts = groups.map(\.first)
        return [
            .tensor(try x.taking(firsts, axis: axis, in: context.environment)), .tensor(Tensor(integers: firsts)),
            .tensor(Tensor(integers: inverse)), .tensor(Tensor(integers: groups.map(\.members.count))),
        ]
    }

    /// The slices' places in rising order, and at which of them another slice begins.
    private static func sorted(_ x: Tensor, axis: Int, size: Int) throws -> (order: [Int], isNew: [Bool]) {
        let count = x.shape[axis]
        if x.dataType == .string {
            let strings = x.strings
            return arrange(count) { a, b in
                for i in 0..<size {
                    let (p, q) = (x.place(a, i, axis: axis), x.place(b, i, axis: axis))
                    // By code points, as Python does: Swift's own order takes canonically equal texts for the same.
                    if strings[p].unicodeScalars.elementsEqual(strings[q].unicodeScalars) { continue }
                    return strings[p].unicodeScalars.lexicographicallyPrecedes(strings[q].unicodeScalars) ? -1 : 1
                }
                return 0
            }
        }
        // One slice after the other, so that comparing walks along memory.
        var slices = try Tensor(uninitialized: x.dataType, shape: [count, size])
        let outer = x.shape[..<axis].reduce(1, *)
        let inner = size / max(outer, 1)
        let copy = try StridedCopy(
            shape: [count, outer, inner], from: [inner, count * inner, 1], elementSize: x.dataType.byteCount)
        try slices.withUnsafeMutableBytes { to in
            x.withUnsafeBytes { from in
                if let to = to.baseAddress, let from = from.baseAddress { copy.run(from, to, pool: nil) }
            }
        }
        func parts(_ type: DataType, _ lanes: Int) throws -> (order: [Int], isNew: [Bool]) {
            let values = Tensor(dataType: type, shape: [count, size * lanes], storage: slices.storage)
            return try type.visitNumber(Arrangement(slices: values))
        }
        switch x.dataType {
        case .bool: return try parts(.uint8, 1)
        case .complex64: return try parts(.float, 2)
        case .complex128: return try parts(.double, 2)
        default: return try parts(x.dataType, 1)
        }
    }

    private struct Arrangement: NumberVisitor {
        let slices: Tensor

        func visit<T: Number>(_ type: T.Type) throws -> (order: [Int], isNew: [Bool]) {
            let size = slices.shape[1]
            return try slices.withUnsafeBytes(of: type) { values in
                Unique.arrange(slices.shape[0]) { a, b in
                    for i in 0..<size {
                        let (p, q) = (values[a * size + i], values[b * size + i])
                        if p < q { return -1 }
                        if q < p { return 1 }
                        if p.isNotANumber != q.isNotANumber { return p.isNotANumber ? 1 : -1 }
                    }
                    return 0
                }
            }
        }
    }

    private static func arrange(_ count: Int, _ compare: (Int, Int) -> Int) -> (order: [Int], isNew: [Bool]) {
        let order = (0..<count).sorted { a, b in
            let difference = compare(a, b)
            return difference == 0 ? a < b : difference < 0
        }
        return (order, order.indices.map { $0 == 0 || compare(order[$0 - 1], order[$0]) != 0 })
    }

    /// The gradient goes to the first of equal slices.
    static let derivative: Derivative? = Derivative { d in
        let (x, dy) = (try d.x(), try d.dy())
        try d.set(0) {
            var places = d.term(try d.builder.add("Unique", d.node.inputs, d.node.attributes, outputs: 2)[1])
            if let axis = d.node.attributes["axis"] {
                places = try x.apply("Size").indices().reshaped(like: x).apply("Gather", places, with: ["axis": axis])
            }
            return try dy.scattered(to: places, like: x)
        }
    }

    static let examples = [
        Example(
            "as they occur", attributes: ["sorted": .int(0)],
            inputs: [Tensor(shape: [6], scalars: [2, 1, 1, 3, 4, 3] as [Float])],
            outputs: [
                Tensor(shape: [4], scalars: [2, 1, 3, 4] as [Float]), Tensor(integers: [0, 1, 3, 4]),
                Tensor(integers: [0, 1, 1, 2, 3, 2]), Tensor(integers: [1, 2, 2, 1]),
            ]),
        Example(
            "sorted rows", attributes: ["axis": .int(0)],
            inputs: [Tensor(shape: [3, 2], scalars: [2, 3, 1, 0, 1, 0] as [Int64])],
            outputs: [
                Tensor(shape: [2, 2], scalars: [1, 0, 2, 3] as [Int64]), Tensor(integers: [1, 0]),
                Tensor(integers: [1, 0, 0]), Tensor(integers: [2, 1]),
            ]),
    ]
}

extension Tensor {
    /// The place of element `i` of slice `slice` along `axis`, elements counted in row-major order.
    fileprivate func place(_ slice: Int, _ i: Int, axis: Int) -> Int {
        let inner = shape[(axis + 1)...].reduce(1, *)
        return (i / inner * shape[axis] + slice) * inner + i % inner
    }
}
