import SardonyxGraph

/// The taps of a window, each with the offset on every axis, so that loops serve any number of axes.
struct WindowTaps: Sendable {
    let window: Window
    let count: Int
    /// For each tap, the offset from the window's start along each axis.
    private let offsets: [Int]
    private let inputStrides: [Int]

    init(_ window: Window) {
        self.window = window
        count = window.kernel.elementCount
        inputStrides = window.input.rowMajorStrides
        var offsets: [Int] = []
        let strides = window.kernel.rowMajorStrides
        for tap in 0..<count {
            for axis in 0..<window.rank {
                offsets.append(tap / strides[axis] % window.kernel[axis] * window.dilations[axis])
            }
        }
        self.offsets = offsets
    }

    /// Calls `body` for every output of a plane, with the start of its window; `start` is scratch of `rank` numbers.
    @inline(__always)
    func forEachOutput(_ body: (_ output: Int, _ start: UnsafeMutablePointer<Int>) -> Void) {
        let rank = window.rank
        let total = window.output.elementCount
        // SAFETY: every access is below `rank`.
        withUnsafeTemporaryAllocation(of: Int.self, capacity: rank) { start in
            let start = start.baseAddress.unsafelyUnwrapped
            for axis in 0..<rank { start[axis] = -window.padBegin[axis] }
            for output in 0..<total {
                body(output, start)
                var axis = rank - 1
                while axis >= 0 {
                    start[axis] += window.strides[axis]
                    if start[axis] < window.output[axis] * window.strides[axis] - window.padBegin[axis] { break }
                    start[axis] = -window.padBegin[axis]
                    axis -= 1
                }
            }
        }
    }

    /// The position in an input plane that a tap reads, or nil where that is padding.
    @inline(__always)
    func position(_ tap: Int, _ start: UnsafeMutablePointer<Int>) -> Int? {
        var position = 0
        for axis in 0..<window.rank {
            let coordinate = start[axis] + offsets[tap * window.rank + axis]
            if coordinate < 0 || coordinate >= window.input[axis] { return nil }
            position += coordinate * inputStrides[axis]
        }
        return position
    }

    /// Whether a tap lies within the input and its padding, which a last window in ceiling mode may leave.
    @inline(__always)
    func isPadded(_ tap: Int, _ start: UnsafeMutablePointer<Int>) -> Bool {
        for axis in 0..<window.rank {
            let coordinate = start[axis] + offsets[tap * window.rank + axis]
            if coordinate >= window.input[axis] + window.padEnd[axis] { return false }
        }
        return true
    }

    /// The offset of a tap along an axis.
    @inline(__always)
    func offset(_ tap: Int, _ axis: Int) -> Int { offsets[tap * window.rank + axis] }
}

extension ConvolutionGeometry {
    /// Computes one plane (n, m) of outputs: `finish` gets each output's position in y and its sum.
    @inline(__always)
    func forEachSum<X, W, Sum>(
        plane: Int, _ taps: WindowTaps, _ x: UnsafePointer<X>, _ w: UnsafePointer<W>, from initial: Sum,
        multiplyAdd: (Sum, X, W) -> Sum, finish: (_ position: Int, _ sum: Sum) -> Void
    ) {
        let (image, filter) = (plane / filters, plane % filters)
        let source = x + (image * channels + filter / filtersPerGroup * channelsPerGroup) * inputPlane
        let weights = w + filter * channelsPerGroup * kernelCount
        let (inputPlane, outputPlane, tapCount) = (inputPlane, outputPlane, taps.count)
        let depth = channelsPerGroup
        taps.forEachOutput { output, start in
            var sum = initial
            for tap in 0..<tapCount {
                guard let position = taps.position(tap, start) else { continue }
                for channel in 0..<depth {
                    sum = multiplyAdd(
                        sum, source[position + channel * inputPlane], weights[channel * tapCount + tap])
                }
            }
            finish(plane * outputPlane + output, sum)
        }
    }
}
