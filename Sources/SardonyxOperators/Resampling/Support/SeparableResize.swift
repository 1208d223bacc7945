import CKernels
import SardonyxGraph

/// y[o…] = Σ w₁[o₁, i₁] · w₂[o₂, i₂] · … · x[i…]; outputs whose weights are empty on an axis are the extrapolation value.
struct SeparableResize {
    let geometry: ResizeGeometry
    let taps: [AxisTaps]
    let extrapolation: Float

    func kernel(_ spec: TensorSpec) throws -> Kernel {
        let type = spec.dataType
        let isBlocked = spec.layout == .channelBlocks
        let merged = isBlocked ? MergedAxes(blocksOf: geometry) : MergedAxes(geometry)
        if type == .float, merged.axes.count <= 3 {
            return float(merged, isBlocked ? sdx_resize_separable_c8_f32 : sdx_resize_separable_f32)
        }
        if type == .bool { return try Loops<UInt8>(self, isBoolean: true).kernel() }
        return try type.visitNumber(Generic(resize: self))
    }

    /// One axis's tables as the C kernel reads them.
    private struct Table: Sendable {
        let input: Int
        let output: Int
        let width: Int
        let first: [Int32]
        let counts: [Int32]
        let weights: [Float]

        init(_ taps: AxisTaps) {
            (input, output, width) = (taps.input, taps.output, taps.width)
            (first, counts, weights) = (taps.first, taps.counts, taps.weights.map(Float.init))
        }
    }

    private typealias CFunction =
        @convention(c) (
            OpaquePointer?, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, UnsafePointer<sdx_resize_axis>,
            Float
        ) -> Void

    private func float(_ merged: MergedAxes, _ resize: @escaping CFunction) -> Kernel {
        let missing = [AxisTaps](repeating: .identity(1), count: 3 - merged.axes.count)
        let tables = (missing + merged.axes.map { axis in axis.source.map { taps[$0] } ?? .identity(axis.input) })
            .map(Table.init)
        let (planes, extrapolation) = (Int64(merged.planes), extrapolation)
        return Kernel { frame in
            Self.withAxis(tables[0]) { d in
                Self.withAxis(tables[1]) { h in
                    Self.withAxis(tables[2]) { w in
                        withUnsafePointer(to: (d, h, w)) { axes in
                            axes.withMemoryRebound(to: sdx_resize_axis.self, capacity: 3) { axes in
                                resize(
                                    frame.pool, frame.input(0), frame.output(0), planes, axes, extrapolation)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func withAxis(_ table: Table, _ body: (sdx_resize_axis) -> Void) {
        table.first.withUnsafeBufferPointer { first in
            table.counts.withUnsafeBufferPointer { counts in
                table.weights.withUnsafeBufferPointer { weights in
                    // An axis without outputs has empty tables, and nothing to do.
                    guard let first = first.baseAddress, let weights = weights.baseAddress, table.output > 0 else {
                        return
                    }
                    body(
                        sdx_resize_axis(
                            in: Int64(table.input), out: Int64(table.output), taps: Int64(table.width), first: first,
                            count: counts.baseAddress, weights: weights))
                }
            }
        }
    }

    private struct Generic: NumberVisitor {
        let resize: SeparableResize
        func visit<T: Number>(_ type: T.Type) throws -> Kernel { try Loops<T>(resize, isBoolean: false).kernel() }
    }

    /// Any number of axes and any type, in double; integers are rounded to the nearest, ties to even.
    private struct Loops<T: Number> {
        let resize: SeparableResize
        let isBoolean: Bool

        init(_ resize: SeparableResize, isBoolean: Bool) {
            self.resize = resize
            self.isBoolean = isBoolean
        }

        func kernel() throws -> Kernel {
            let isBoolean = isBoolean
            let isInteger = T.dataType.isInteger
            let rank = resize.taps.count
            let first = resize.taps.map(\.first)
            let counts = resize.taps.map(\.counts)
            let widths = resize.taps.map(\.width)
            let weights = resize.taps.map(\.weights)
            let inputStrides = resize.geometry.axes.map(\.input).rowMajorStrides
            let output = resize.geometry.axes.map(\.output)
            let outputStrides = output.rowMajorStrides
            let outside = T.converting(Double(resize.extrapolation))
            return .parallel(count: output.elementCount, grain: 1024) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                // SAFETY: every access is below `rank`.
                withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * rank) { memory in
                    let place = memory.baseAddress.unsafelyUnwrapped
                    let tap = place + rank
                    elements: for element in range {
                        for axis in 0..<rank {
                            place[axis] = element / outputStrides[axis] % output[axis]
                            tap[axis] = 0
                            if counts[axis][place[axis]] == 0 {
                                y[element] = outside
                                continue elements
                            }
                        }
                        var sum = 0.0
                        odometer: while true {
                            var weight = 1.0
                            var position = 0
                            for axis in 0..<rank {
                                weight *= weights[axis][place[axis] * widths[axis] + tap[axis]]
                                position += (Int(first[axis][place[axis]]) + tap[axis]) * inputStrides[axis]
                            }
                            if weight != 0 { sum += weight * x[position].double }
                            var axis = rank - 1
                            while axis >= 0 {
                                tap[axis] += 1
                                if tap[axis] < Int(counts[axis][place[axis]]) { continue odometer }
                                tap[axis] = 0
                                axis -= 1
                            }
                            break
                        }
                        if isBoolean { sum = sum != 0 ? 1 : 0 }
                        y[element] = T.converting(isInteger ? sum.rounded(.toNearestOrEven) : sum)
                    }
                }
            }
        }
    }
}
