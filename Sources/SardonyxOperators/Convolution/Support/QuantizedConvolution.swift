import SardonyxGraph

/// A convolution of 8-bit integers in int32, the zero points subtracted: what ConvInteger and QLinearConv share.
struct QuantizedConvolution {
    private let geometry: ConvolutionGeometry
    private let taps: WindowTaps
    private let isSigned: (x: Bool, w: Bool)
    private let inputs: (x: Int, w: Int)
    private let zeros: (x: Int?, w: Int?)
    private let zeroStride: Int

    init(
        _ context: PreparationContext, _ geometry: ConvolutionGeometry, x: Int, w: Int, xZero: Int?, wZero: Int?
    ) throws {
        self.geometry = geometry
        taps = WindowTaps(geometry.window)
        isSigned = (try context.input(x).dataType == .int8, try context.input(w).dataType == .int8)
        inputs = (x, w)
        zeros = (xZero, wZero)
        zeroStride = try wZero.map { try context.input($0).elementCount > 1 ? 1 : 0 } ?? 0
    }

    /// A kernel that gives every sum to `finish`, with its position in y and its output channel.
    func kernel(
        _ finish: @escaping @Sendable (_ frame: Frame, _ sum: Int32, _ position: Int, _ filter: Int) -> Void
    ) -> Kernel {
        switch isSigned {
        case (false, false): kernel(UInt8.self, UInt8.self, finish)
        case (false, true): kernel(UInt8.self, Int8.self, finish)
        case (true, false): kernel(Int8.self, UInt8.self, finish)
        case (true, true): kernel(Int8.self, Int8.self, finish)
        }
    }

    private func kernel<X: FixedWidthInteger & Sendable, W: FixedWidthInteger & Sendable>(
        _ x: X.Type, _ w: W.Type,
        _ finish: @escaping @Sendable (_ frame: Frame, _ sum: Int32, _ position: Int, _ filter: Int) -> Void
    ) -> Kernel {
        let (geometry, taps, inputs, zeros, zeroStride) = (geometry, taps, inputs, zeros, zeroStride)
        var kernel = Kernel.parallel(chunks: geometry.batch * geometry.filters) { frame, plane, _ in
            let filter = plane % geometry.filters
            let xZero = Int32(frame.input(slot: zeros.x, as: X.self)?.pointee ?? 0)
            let wZero = Int32(frame.input(slot: zeros.w, as: W.self)?[filter * zeroStride] ?? 0)
            geometry.forEachSum(
                plane: plane, taps, frame.input(inputs.x, as: X.self), frame.input(inputs.w, as: W.self),
                from: 0 as Int32,
                multiplyAdd: { $0 &+ (Int32($1) - xZero) &* (Int32($2) - wZero) },
                finish: { position, sum in finish(frame, sum, position, filter) })
        }
        kernel.multiplyAdds = geometry.multiplyAdds
        return kernel
    }

    /// Refuses a scale or zero point that is neither one number nor one for each output channel.
    static func checkPerFilter(
        _ context: InferenceContext, _ index: Int, _ name: String, weights: Int
    ) throws(SardonyxError) {
        guard let shape = context.shape(index), let count = shape.reduce(.fixed(1), *).value, count != 1 else { return }
        guard shape.count == 1, context.shape(weights)?.first?.value.map({ $0 == count }) ?? true else {
            throw SardonyxError(
                .invalidModel,
                "\(name) has the shape \(shape.text); it must be one number, or one for each output channel")
        }
    }

    /// Refuses a scale or zero point that is not one number.
    static func checkScalar(_ context: InferenceContext, _ index: Int, _ name: String) throws(SardonyxError) {
        guard let shape = context.shape(index), let count = shape.reduce(.fixed(1), *).value, count != 1 else { return }
        throw SardonyxError(.invalidModel, "\(name) must be one number; it has the shape \(shape.text)")
    }
}
