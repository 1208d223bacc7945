import CKernels
import SardonyxGraph

/// y[o…] = x[table₁[o₁], table₂[o₂], …], or the extrapolation value where a table holds -1.
struct NearestResize {
    private let spec: TensorSpec
    private let geometry: ResizeGeometry
    private let tables: [[Int32]]
    private let extrapolation: [UInt8]

    init(
        _ spec: TensorSpec, _ geometry: ResizeGeometry, _ tables: [[Int32]], extrapolation: Float
    ) throws {
        self.spec = spec
        self.geometry = geometry
        self.tables = tables
        if tables.contains(where: { $0.contains(-1) }) {
            self.extrapolation = try Self.bytes(of: extrapolation, as: spec.dataType)
        } else {
            self.extrapolation = [UInt8](repeating: 0, count: 16)
        }
    }

    /// A number's bytes as an element.
    private static func bytes(of value: Float, as type: DataType) throws -> [UInt8] {
        struct Conversion: NumberVisitor {
            let value: Float
            func visit<T: Number>(_ type: T.Type) throws -> [UInt8] {
                withUnsafeBytes(of: T.converting(Double(value))) { Array($0) }
            }
        }
        switch type {
        case .bool: return [value != 0 ? 1 : 0]
        case .complex64: return withUnsafeBytes(of: (value, Float(0))) { Array($0) }
        case .complex128: return withUnsafeBytes(of: (Double(value), 0.0)) { Array($0) }
        default: return try type.visitNumber(Conversion(value: value))
        }
    }

    func kernel() throws -> Kernel {
        let merged = spec.layout == .channelBlocks ? MergedAxes(blocksOf: geometry) : MergedAxes(geometry)
        if merged.axes.count <= 3, spec.dataType.byteCount <= 8 {
            let isBlocked = spec.layout == .channelBlocks
            let missing = 3 - merged.axes.count
            let extents = [Int](repeating: 1, count: missing)
            let input = extents + merged.axes.map(\.input)
            let output = extents + merged.axes.map(\.output)
            let indices =
                [[Int32]](repeating: [0], count: missing)
                + merged.axes.map { axis in axis.source.map { tables[$0] } ?? (0..<axis.input).map(Int32.init) }
            let (planes, size, extrapolation) = (Int64(merged.planes), Int32(spec.dataType.byteCount), extrapolation)
            let (from, to) = (input.map(Int64.init), output.map(Int64.init))
            return Kernel { frame in
                indices[0].withUnsafeBufferPointer { d in
                    indices[1].withUnsafeBufferPointer { h in
                        indices[2].withUnsafeBufferPointer { w in
                            guard let d = d.baseAddress, let h = h.baseAddress, let w = w.baseAddress else { return }
                            withUnsafePointer(to: (d, h, w)) { index in
                                index.withMemoryRebound(to: UnsafePointer<Int32>.self, capacity: 3) { index in
                                    if isBlocked {
                                        let outside = extrapolation.withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
                                        sdx_resize_nearest_c8_f32(
                                            frame.pool, frame.input(0), frame.output(0), planes, from, to, index,
                                            outside)
                                        return
                                    }
                                    sdx_resize_nearest(
                                        frame.pool, size, frame.input(0, as: UInt8.self),
                                        frame.output(0, as: UInt8.self),
                                        planes, from, to, index, extrapolation)
                                }
                            }
                        }
                    }
                }
            }
        }
        return try spec.dataType.visitElement(Loops(geometry: geometry, tables: tables, extrapolation: extrapolation))
    }

    private struct Loops: ElementVisitor {
        let geometry: ResizeGeometry
        let tables: [[Int32]]
        let extrapolation: [UInt8]

        func visit<T: BitwiseCopyable & Sendable>(_ type: T.Type) throws -> Kernel {
            let tables = tables
            let outside = extrapolation.withUnsafeBytes { $0.loadUnaligned(as: T.self) }
            let inputStrides = geometry.axes.map(\.input).rowMajorStrides
            let output = geometry.axes.map(\.output)
            let outputStrides = output.rowMajorStrides
            return .parallel(count: output.elementCount, grain: 4096) { frame, range in
                let x = frame.input(0, as: T.self)
                let y = frame.output(0, as: T.self)
                for element in range {
                    var position = 0
                    var isInside = true
                    for axis in tables.indices {
                        let source = Int(tables[axis][element / outputStrides[axis] % output[axis]])
                        isInside = isInside && source >= 0
                        position += source * inputStrides[axis]
                    }
                    y[element] = isInside ? x[position] : outside
                }
            }
        }
    }
}

/// The axes of a Resize with those that stay merged: what the kernels for three axes need.
struct MergedAxes {
    struct Axis {
        var input: Int
        var output: Int
        /// The resampled axis, or nil for merged ones that stay.
        var source: Int?
    }

    /// The spatial axes of a tensor with its channels in blocks, each for itself; batch and channels stay.
    init(blocksOf geometry: ResizeGeometry) {
        planes = geometry.axes[0].input * geometry.axes[1].input / TensorLayout.blockSize
        axes = geometry.axes.indices.dropFirst(2).map { index in
            let axis = geometry.axes[index]
            return Axis(input: axis.input, output: axis.output, source: axis.isIdentity ? nil : index)
        }
    }

    /// The product of the leading axes that stay.
    private(set) var planes = 1
    private(set) var axes: [Axis] = []

    init(_ geometry: ResizeGeometry) {
        for (index, axis) in geometry.axes.enumerated() {
            if !axis.isIdentity {
                axes.append(Axis(input: axis.input, output: axis.output, source: index))
            } else if axes.isEmpty {
                planes *= axis.input
            } else if axes[axes.count - 1].source == nil {
                axes[axes.count - 1].input *= axis.input
                axes[axes.count - 1].output *= axis.input
            } else {
                axes.append(Axis(input: axis.input, output: axis.input, source: nil))
            }
        }
        // A trailing extent of 1 is no axis.
        while axes.count > 1, let last = axes.last, last.source == nil, last.input == 1 { axes.removeLast() }
    }
}
