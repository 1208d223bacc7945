import CKernels
import SardonyxGraph

/// Adds elements around a tensor, or takes some away where an amount is negative. What `Pad` and `CenterCropPad` share.
struct Padding: Sendable {
    enum Mode: String, Sendable {
        /// One value everywhere.
        case constant
        /// The mirror image at the first and last element, which are not repeated.
        case reflect
        /// The first and last element.
        case edge
        /// The other end of the tensor, as on a torus.
        case wrap

        var kernelForm: sdx_pad_mode {
            switch self {
            case .constant: SDX_PAD_CONSTANT
            case .reflect: SDX_PAD_REFLECT
            case .edge: SDX_PAD_EDGE
            case .wrap: SDX_PAD_WRAP
            }
        }
    }

    private let elementSize: Int
    /// The part of the input that stays.
    private let interior: StridedCopy
    /// Fills of regions with the constant, whose source is a single element.
    private let fills: [StridedCopy]
    /// Copies from the output to itself, in this order: axis by axis, the innermost first.
    private let extensions: [StridedCopy]

    /// - Parameters:
    ///   - begins: elements added before the first, an axis each.
    ///   - ends: elements added after the last.
    init(_ shape: [Int], begins: [Int], ends: [Int], elementSize: Int, mode: Mode) throws {
        self.elementSize = elementSize
        let output = try Padding.shape(SymbolicShape(shape), begins, ends, mode).compactMap(\.value)
        let strides = output.rowMajorStrides
        let sourceStrides = shape.rowMajorStrides
        // What is kept of x, and where it stands in y.
        let kept = shape.indices.map { max(shape[$0] + min(begins[$0], 0) + min(ends[$0], 0), 0) }
        let lower = begins.map { max($0, 0) }
        func offset(_ position: [Int], _ strides: [Int]) -> Int {
            zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }
        }
        interior = try StridedCopy(
            shape: kept, from: sourceStrides, to: strides, elementSize: elementSize,
            sourceOffset: offset(begins.map { max(-$0, 0) }, sourceStrides), targetOffset: offset(lower, strides))

        var fills: [StridedCopy] = []
        var extensions: [StridedCopy] = []
        for axis in output.indices.reversed() {
            let upper = lower[axis] + kept[axis]
            // Inner axes are complete by now, and of the outer ones there is the interior only.
            var box = output
            var corner = [Int](repeating: 0, count: output.count)
            for outer in 0..<axis { (box[outer], corner[outer]) = (kept[outer], lower[outer]) }
            for range in [0..<lower[axis], upper..<max(output[axis], upper)] where !range.isEmpty {
                var next = range.lowerBound
                while next < range.upperBound {
                    var (source, step, run) = Padding.source(next - lower[axis], kept[axis], mode)
                    source += lower[axis]
                    run = min(run, range.upperBound - next)
                    guard extensions.count < Padding.copyLimit else {
                        throw SardonyxError(
                            .unsupported, "padding repeats the input more than \(Padding.copyLimit) times")
                    }
                    box[axis] = run
                    corner[axis] = next
                    let target = offset(corner, strides)
                    if mode == .constant {
                        fills.append(
                            try StridedCopy(
                                shape: box, from: [Int](repeating: 0, count: box.count), to: strides,
                                elementSize: elementSize, targetOffset: target))
                    } else {
                        var from = strides
                        from[axis] = strides[axis] * step
                        corner[axis] = source
                        extensions.append(
                            try StridedCopy(
                                shape: box, from: from, to: strides, elementSize: elementSize,
                                sourceOffset: offset(corner, strides), targetOffset: target))
                    }
                    next += run
                }
            }
        }
        self.fills = fills
        self.extensions = extensions
    }

    /// The output's extents.
    /// - Throws: `SardonyxError` (`invalidModel`) where an extent would be negative, or an empty axis would be extended
    ///   from itself.
    static func shape(
        _ shape: SymbolicShape, _ begins: [Int], _ ends: [Int], _ mode: Mode
    ) throws(SardonyxError) -> SymbolicShape {
        var result: SymbolicShape = []
        for (axis, extent) in shape.enumerated() {
            let padded = extent + .fixed(begins[axis]) + .fixed(ends[axis])
            if let kept = (extent + .fixed(min(begins[axis], 0)) + .fixed(min(ends[axis], 0))).value {
                if padded.value ?? -1 < 0 || kept < 0 {
                    throw SardonyxError(
                        .invalidModel,
                        "axis \(axis) of \(shape.text) cannot be padded by \(begins[axis]) and \(ends[axis])")
                }
                if kept == 0, mode != .constant, max(begins[axis], ends[axis]) > 0 {
                    throw SardonyxError(
                        .invalidModel,
                        "axis \(axis) of \(shape.text) has no elements to pad with in mode '\(mode.rawValue)'")
                }
            }
            result.append(padded)
        }
        return result
    }

    /// More copies than a sensible model asks for; each takes memory in the plan.
    private static let copyLimit = 1 << 16

    /// The element of 0 ..< extent that the place at `index`, outside of it, shows; and for how many places the elements
    /// go on from there in steps of `step`, so that these places are one copy.
    private static func source(_ index: Int, _ extent: Int, _ mode: Mode) -> (element: Int, step: Int, run: Int) {
        if extent == 1 { return (0, 0, .max) }
        func modulo(_ a: Int, _ b: Int) -> Int { a % b < 0 ? a % b + b : a % b }
        switch mode {
        case .constant: return (0, 0, .max)
        case .edge: return (index < 0 ? 0 : extent - 1, 0, .max)
        case .wrap:
            let place = modulo(index, extent)
            return (place, 1, extent - place)
        case .reflect:
            let last = extent - 1
            let place = modulo(index, 2 * last)
            return place < last ? (place, 1, extent - place) : (2 * last - place, -1, 2 * last - place + 1)
        }
    }

    /// - Parameter value: one element for the mode `constant`; nil is zero.
    func run(
        _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, value: UnsafeRawPointer?, pool: OpaquePointer?
    ) {
        interior.run(x, y, pool: pool)
        if !fills.isEmpty {
            var zero = Bytes16(low: 0, high: 0)
            withUnsafePointer(to: &zero) { zero in
                let value = value ?? UnsafeRawPointer(zero)
                for index in fills.indices { fills[index].run(value, y, pool: pool) }
            }
        }
        for index in extensions.indices { extensions[index].run(y, y, pool: pool) }
    }
}
