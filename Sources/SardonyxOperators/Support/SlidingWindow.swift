import CKernels
import SardonyxGraph

/// What a node's attributes say about a window that slides over the spatial axes.
struct WindowAttributes: Sendable {
    enum AutoPad: String, Sendable {
        case explicit = "NOTSET"
        case valid = "VALID"
        case sameUpper = "SAME_UPPER"
        case sameLower = "SAME_LOWER"

        var isSame: Bool { self == .sameUpper || self == .sameLower }
    }

    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    /// Zero unless the padding is explicit.
    private(set) var padBegin: [Int]
    private(set) var padEnd: [Int]
    let autoPad: AutoPad
    let isCeiling: Bool

    /// Larger numbers make no sense, and products of two smaller ones do not overflow.
    private static let limit = 1 << 31

    /// - Throws: when an attribute's length or a number in it is out of its range.
    init(_ node: Node, kernel: [Int]) throws(SardonyxError) {
        let rank = kernel.count
        func list(_ name: String, count: Int, atLeast: Int, default value: Int) throws(SardonyxError) -> [Int] {
            let values = node.ints(name) ?? []
            // Exporters write empty lists for defaults.
            if values.isEmpty { return [Int](repeating: value, count: count) }
            guard values.count == count else {
                throw SardonyxError(.invalidModel, "\(name) must have \(count) numbers; it has \(values.count)")
            }
            guard values.allSatisfy({ $0 >= atLeast && $0 < Self.limit }) else {
                throw SardonyxError(
                    .invalidModel, "\(name) is \(values); every number must be from \(atLeast) to \(Self.limit - 1)")
            }
            return values
        }
        guard kernel.allSatisfy({ $0 >= 1 && $0 < Self.limit }) else {
            throw SardonyxError(
                .invalidModel, "the kernel's shape is \(kernel); every extent must be from 1 to \(Self.limit - 1)")
        }
        let name = node.string("auto_pad", default: "NOTSET")
        guard let autoPad = AutoPad(rawValue: name.isEmpty ? "NOTSET" : name) else {
            throw SardonyxError(
                .invalidModel, "auto_pad is '\(name)'; it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER")
        }
        self.kernel = kernel
        self.autoPad = autoPad
        strides = try list("strides", count: rank, atLeast: 1, default: 1)
        dilations = try list("dilations", count: rank, atLeast: 1, default: 1)
        let pads = try list("pads", count: 2 * rank, atLeast: 0, default: 0)
        let isExplicit = autoPad == .explicit
        padBegin = isExplicit ? Array(pads[..<rank]) : [Int](repeating: 0, count: rank)
        padEnd = isExplicit ? Array(pads[rank...]) : [Int](repeating: 0, count: rank)
        isCeiling = node.flag("ceil_mode")
    }

    /// The same window over inputs that are padded already.
    var withoutPadding: WindowAttributes {
        var result = self
        result.padBegin = padBegin.map { _ in 0 }
        result.padEnd = result.padBegin
        return result
    }

    /// The extent that the window covers along an axis.
    func reach(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

    /// The number of windows along a spatial axis.
    /// - Throws: when not even one fits.
    func output(_ axis: Int, of input: Dimension) throws(SardonyxError) -> Dimension {
        let stride = strides[axis]
        if autoPad.isSame { return stride == 1 ? input : (input + .fixed(stride - 1)) / .fixed(stride) }
        let begin = padBegin[axis]
        let padding = begin + padEnd[axis]
        guard let extent = input.value else {
            // The windows start at 0, stride, … padded - reach.
            let slack = padding - reach(axis)
            if isCeiling && stride > 1 { return input.shifted(by: slack + stride - 1 + stride) / .fixed(stride) }
            return stride == 1 ? input.shifted(by: slack + 1) : input.shifted(by: slack) / .fixed(stride) + .fixed(1)
        }
        if extent == 0 && padding == 0 { return .fixed(0) }
        let (padded, overflow) = extent.addingReportingOverflow(padding)
        guard !overflow, padded >= reach(axis) || (isCeiling && padded + stride > reach(axis)) else {
            throw SardonyxError(
                .invalidModel,
                "the window covers \(reach(axis)) elements along spatial axis \(axis); the padded input has \(padded)")
        }
        let slack = padded - reach(axis)
        guard isCeiling else { return .fixed(slack / stride + 1) }
        let windows = (slack + stride - 1) / stride + 1
        // A window that would start in the padding at the end does not count.
        return .fixed((windows - 1) * stride >= extent + begin ? windows - 1 : windows)
    }

    /// The window over concrete extents.
    func window(input: [Int], output: [Int]) -> Window {
        var begin = padBegin
        var end = padEnd
        if autoPad.isSame {
            for axis in kernel.indices {
                let total = max((output[axis] - 1) * strides[axis] + reach(axis) - input[axis], 0)
                begin[axis] = autoPad == .sameUpper ? total / 2 : total - total / 2
                end[axis] = total - begin[axis]
            }
        }
        return Window(
            input: input, output: output, kernel: kernel, strides: strides, dilations: dilations, padBegin: begin,
            padEnd: end)
    }
}

/// A window over concrete spatial extents: output o covers inputs o · stride − padBegin + k · dilation.
struct Window: Sendable {
    let input: [Int]
    let output: [Int]
    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    let padBegin: [Int]
    let padEnd: [Int]

    var rank: Int { kernel.count }

    /// The window with its axes in another order.
    func withAxes(_ order: [Int]) -> Window {
        func arranged(_ values: [Int]) -> [Int] { order.map { values[$0] } }
        return Window(
            input: arranged(input), output: arranged(output), kernel: arranged(kernel), strides: arranged(strides),
            dilations: arranged(dilations), padBegin: arranged(padBegin), padEnd: arranged(padEnd))
    }

    /// Three numbers for C's three axes, with `fill` in front.
    static func three(_ values: [Int], _ fill: Int) -> (Int64, Int64, Int64) {
        func at(_ index: Int) -> Int64 {
            let position = index - (3 - values.count)
            return Int64(position < 0 ? fill : values[position])
        }
        return (at(0), at(1), at(2))
    }
}

extension Dimension {
    /// The sum with a number that may be negative.
    func shifted(by offset: Int) -> Dimension { offset < 0 ? self - .fixed(-offset) : self + .fixed(offset) }
}

extension Array where Element == Dimension {
    /// The extents of the spatial axes, after batch and channels.
    var spatial: SymbolicShape { Array(dropFirst(2)) }
}
