import Glibc
import SardonyxGraph

/// y[i] = start + i·delta for i in 0 ..< max(0, ⌈(limit − start) / delta⌉).
///
/// The type is not called `Range`, which would hide Swift's in the whole module. float16 and bfloat16 compute in float, or in what `stash_type` says.
///
/// <https://onnx.ai/onnx/operators/onnx__Range.html>
enum RangeOperator: Operator {
    private static let types: TypeSet = .floats + [.int16, .int32, .int64]

    static let schema = Schema(
        "Range", versions: [11, 27],
        inputs: [Parameter("start", "T", types), Parameter("limit", "T", types), Parameter("delta", "T", types)],
        outputs: [Parameter("output", "T", types)],
        attributes: [AttributeSpec("stash_type", .int)])

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        for (index, name) in ["start", "limit", "delta"].enumerated() {
            if let count = context.shape(index)?.fixed?.elementCount, count != 1 {
                throw SardonyxError(.invalidModel, "\(name) must be a scalar; it is \(context.shape(index)!.text)")
            }
        }
        if type.isInteger {
            guard let start = context.elements(0)?.first, let limit = context.elements(1)?.first,
                let delta = context.elements(2)?.first?.value
            else { return context.set(0, type, [.unknown]) }
            guard let from = start.value, let to = limit.value else {
                // From 0 by 1 to an extent that is known by name.
                return context.set(0, type, [start == .fixed(0) && delta == 1 ? limit : .unknown])
            }
            let count = try count(from: from, to: to, by: delta)
            context.set(0, type, [.fixed(count)])
            if count <= 64 { context.outputElements[0] = (0..<count).map { .fixed(from &+ $0 &* delta) } }
        } else {
            guard let start = context.constant(0)?.doubles?.first, let limit = context.constant(1)?.doubles?.first,
                let delta = context.constant(2)?.doubles?.first
            else { return context.set(0, type, [.unknown]) }
            context.set(0, type, [.fixed(try count(from: start, to: limit, by: delta))])
        }
    }

    private static func count(from start: Int, to limit: Int, by delta: Int) throws -> Int {
        if delta == 0 { throw SardonyxError(.invalidValue, "delta is 0") }
        if delta > 0 ? start >= limit : start <= limit { return 0 }
        let distance = delta > 0 ? UInt(bitPattern: limit &- start) : UInt(bitPattern: start &- limit)
        return Int(clamping: (distance - 1) / delta.magnitude + 1)
    }

    private static func count(from start: Double, to limit: Double, by delta: Double) throws -> Int {
        let steps = ((limit - start) / delta).rounded(.up)
        guard delta != 0, steps.isFinite, steps < 1e15 else {
            throw SardonyxError(.invalidValue, "there is no range from \(start) to \(limit) by \(delta)")
        }
        return Int(max(steps, 0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let output = try context.output(0)
        if output.dataType.isInteger {
            return try output.dataType.visitNumber(Integers(count: output.elementCount))
        }
        let count = output.elementCount
        guard output.dataType == .double || context.node.int("stash_type", default: 11) == 11 else {
            return try output.dataType.visitReal(Reals(count: count))
        }
        return try output.dataType.visitNumber(Doubles(count: count))
    }

    private struct Integers: NumberVisitor {
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                let start = frame.input(0, as: T.self).pointee
                let delta = frame.input(2, as: T.self).pointee
                let y = frame.output(0, as: T.self)
                for i in 0..<count { y[i] = T.adding(start, T.multiplying(T.converting(i), delta)) }
            }
        }
    }

    private struct Doubles: NumberVisitor {
        let count: Int

        func visit<T: Number>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                let start = frame.input(0, as: T.self).pointee.double
                let delta = frame.input(2, as: T.self).pointee.double
                let y = frame.output(0, as: T.self)
                for i in 0..<count { y[i] = T.converting(start + Double(i) * delta) }
            }
        }
    }

    private struct Reals: RealVisitor {
        let count: Int

        func visit<T: Real>(_ type: T.Type) throws -> Kernel {
            let count = count
            return Kernel { frame in
                let start = frame.input(0, as: T.self).pointee.wide
                let delta = frame.input(2, as: T.self).pointee.wide
                let y = frame.output(0, as: T.self)
                for i in 0..<count { y[i] = T(wide: start + T.Wide(i) * delta) }
            }
        }
    }

    static let derivative: Derivative? = Derivative { d in
        let dy = try d.dy()
        try d.set(0) { try dy.sum([0]).reshaped(like: d.x(0)) }
        try d.set(2) {
            try (dy * dy.extents().indices().converted(to: dy)).sum([0]).reshaped(like: d.x(2))
        }
    }

    static let examples = [
        Example(
            "upward", inputs: [Tensor(Int64(3)), Tensor(Int64(9)), Tensor(Int64(3))],
            outputs: [Tensor(integers: [3, 6])]),
        Example(
            "downward", inputs: [Tensor(Float(1)), Tensor(Float(0)), Tensor(Float(-0.5))],
            outputs: [Tensor(shape: [2], scalars: [1, 0.5] as [Float])]),
    ]
}
