import SardonyxGraph

/// The `K` largest (smallest) elements along `axis` in order, and their positions; of equals the earlier comes first.
///
/// A NaN counts as larger than all numbers. With `sorted` 0 the order is the same.
/// <https://onnx.ai/onnx/operators/onnx__TopK.html>
enum TopK: Operator {
    static let schema = Schema(
        "TopK", versions: [1, 10, 11, 24],
        inputs: [Parameter("X", "T", .numbers), Parameter("K", "tensor(int64)", [.int64])],
        outputs: [Parameter("Values", "T", .numbers), Parameter("Indices", "I", [.int64])],
        attributes: [AttributeSpec("sorted", .int), AttributeSpec("largest", .int), AttributeSpec("axis", .int)])

    /// Through opset 9 `k` is an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 10, let k = node.int("k") else { return }
        node.attributes["k"] = nil
        node.inputs.append(lifting.add([k], "\(node.displayName).k"))
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard var shape = context.shape(0) else {
            context.set(0, type, nil)
            return context.set(1, .int64, nil)
        }
        let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.count, "attribute 'axis'")
        let extent = shape[axis]
        shape[axis] = .unknown
        if let k = context.elements(1) {
            guard k.count == 1 else {
                throw SardonyxError(.invalidModel, "'K' must have one element; it has \(k.count)")
            }
            if let k = k[0].value, k < 0 || k > extent.value ?? .max {
                throw SardonyxError(.invalidModel, "'K' is \(k); axis \(axis) has \(extent) elements")
            }
            shape[axis] = k[0]
        }
        context.set(0, type, shape)
        context.set(1, .int64, shape)
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let axis = try normalizedAxis(context.node.int("axis", default: -1), rank: spec.shape.count, "attribute 'axis'")
        let result = try (context.wants(0) ? context.output(0) : context.output(1)).shape
        let selection = Selection(
            layout: AxisLayout(spec.shape, axis: axis), k: result[axis],
            wantsLargest: context.node.flag("largest", default: true), positionSlot: context.outputSlot(1))
        var kernel = try spec.dataType.visitNumber(selection)
        if !context.wants(1) { kernel.workspaceByteCount = result.elementCount * 8 }
        kernel.absorbedInputs = [1]
        return kernel
    }

    private struct Selection: NumberVisitor {
        let layout: AxisLayout
        let k: Int
        let wantsLargest: Bool
        let positionSlot: Int?

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let (layout, k, wantsLargest, positionSlot) = (layout, k, wantsLargest, positionSlot)
            return Kernel { frame in
                guard
                    let positions = frame.output(slot: positionSlot)
                        ?? frame.workspace?.assumingMemoryBound(to: Int64.self)
                else { return }
                Work<T>(
                    x: frame.input(0), values: frame.optionalOutput(0), positions: positions, layout: layout, k: k,
                    wantsLargest: wantsLargest
                ).run(count: k > 0 ? layout.slices : 0, grain: layout.grain, on: frame.pool)
            }
        }
    }

    /// Selects with a heap of positions in the output itself, whose root is the worst of the best so far.
    private struct Work<T: Number>: ChunkedWork {
        let x: UnsafePointer<T>
        let values: UnsafeMutablePointer<T>?
        let positions: UnsafeMutablePointer<Int64>
        let layout: AxisLayout
        let k: Int
        let wantsLargest: Bool

        func run(_ range: Range<Int>) {
            let stride = layout.inner
            for slice in range {
                let slot = slice / stride * k * stride + slice % stride
                var heap = Heap(
                    x: x + layout.offset(ofSlice: slice), heap: positions + slot, stride: stride,
                    wantsLargest: wantsLargest)
                heap.select(k, of: layout.axis)
                if let values {
                    for i in 0..<k {
                        values[slot + i * stride] = heap.x[Int(heap.heap[i * stride]) * stride]
                    }
                }
            }
        }
    }

    private struct Heap<T: Number> {
        let x: UnsafePointer<T>
        let heap: UnsafeMutablePointer<Int64>
        let stride: Int
        let wantsLargest: Bool

        /// Whether the element at position a comes before that at b.
        @inline(__always)
        private func precedes(_ a: Int64, _ b: Int64) -> Bool {
            let (left, right) = (x[Int(a) * stride], x[Int(b) * stride])
            if left == right || left.isNotANumber && right.isNotANumber { return a < b }
            if left.isNotANumber { return wantsLargest }
            if right.isNotANumber { return !wantsLargest }
            return wantsLargest ? left > right : left < right
        }

        /// Moves the entry at `start` down until none below it comes later.
        private func sink(_ start: Int, count: Int) {
            var parent = start
            let moving = heap[start * stride]
            while true {
                var child = 2 * parent + 1
                if child >= count { break }
                if child + 1 < count, precedes(heap[child * stride], heap[(child + 1) * stride]) { child += 1 }
                if !precedes(moving, heap[child * stride]) { break }
                heap[parent * stride] = heap[child * stride]
                parent = child
            }
            heap[parent * stride] = moving
        }

        mutating func select(_ k: Int, of count: Int) {
            for i in 0..<k { heap[i * stride] = Int64(i) }
            for i in Swift.stride(from: k / 2 - 1, through: 0, by: -1) { sink(i, count: k) }
            for i in k..<max(count, k) where precedes(Int64(i), heap[0]) {
                heap[0] = Int64(i)
                sink(0, count: k)
            }
            // The root is the worst: it goes to the end, again and again.
            for end in Swift.stride(from: k - 1, to: 0, by: -1) {
                (heap[0], heap[end * stride]) = (heap[end * stride], heap[0])
                sink(0, count: end)
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let (x, axis) = (try d.x(), d.node.int("axis", default: -1))
        try d.set(0) {
            let places = try d.builder.add("TopK", d.node.inputs, d.node.attributes, outputs: 2)[1]
            return try x.zeros().apply("ScatterElements", d.term(places), d.dy(), with: ["axis": .int(Int64(axis))])
        }
    }

    static let examples = [
        Example(
            "the largest of rows",
            inputs: [Tensor(shape: [2, 4], scalars: [0, 3, 3, 1, 7, 5, 6, 4] as [Float]), Tensor(integers: [3])],
            outputs: [
                Tensor(shape: [2, 3], scalars: [3, 3, 1, 7, 6, 5] as [Float]),
                Tensor(shape: [2, 3], scalars: [1, 2, 3, 0, 2, 1] as [Int64]),
            ]),
        Example(
            "the values alone",
            inputs: [Tensor(shape: [1, 4], scalars: [0, 3, 2, 1] as [Float]), Tensor(integers: [2])],
            outputs: [Tensor(shape: [1, 2], scalars: [3, 2] as [Float])]),
        Example(
            "the smallest of columns", attributes: ["axis": .int(0), "largest": .int(0)],
            inputs: [Tensor(shape: [3, 2], scalars: [3, 9, 1, 8, 2, 8] as [Int32]), Tensor(integers: [2])],
            outputs: [
                Tensor(shape: [2, 2], scalars: [1, 8, 2, 8] as [Int32]),
                Tensor(shape: [2, 2], scalars: [1, 1, 2, 2] as [Int64]),
            ]),
    ]
}
