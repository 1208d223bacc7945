import CKernels
import SardonyxGraph

extension DataType {
    /// Whether numbers of this type are only stored in it, and computed with in float.
    var isHalfWidth: Bool { self == .float16 || self == .bfloat16 }
}

extension Workspace {
    /// The bytes of a kernel's scratch memory, part by part.
    struct Layout {
        private(set) var byteCount = 0

        /// Reserves a part and returns its offset, a multiple of 64.
        mutating func reserve(_ bytes: Int) -> Int {
            defer { byteCount += (bytes + 63) & ~63 }
            return byteCount
        }

        mutating func reserve<T>(_ count: Int, of type: T.Type) -> Int { reserve(count * MemoryLayout<T>.stride) }
    }
}

/// Scratch memory of kernels.
enum Workspace {}

extension Frame {
    /// A part of the workspace as elements of a type.
    @inline(__always)
    func scratch<T>(_ offset: Int, as type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        // SAFETY: the kernel reserved the part at `offset` in its workspace, whose base is aligned to 64 bytes. A kernel
        // whose parts are all empty has no workspace, and reads nothing at the address that stands for it.
        let base = workspace ?? UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
        return (base + offset).assumingMemoryBound(to: T.self)
    }
}

extension PreparationContext {
    /// A kernel for float16 and bfloat16 tensors: converts them to float, runs the kernel that `prepare` makes for float,
    /// and rounds its results once.
    func throughFloat(_ prepare: (PreparationContext) throws -> Kernel) throws -> Kernel {
        func widened(_ spec: TensorSpec?) -> TensorSpec? {
            guard let spec, spec.dataType.isHalfWidth else { return spec }
            return TensorSpec(dataType: .float, shape: spec.shape)
        }
        let wide = PreparationContext(
            node: node, inputs: inputs.map(widened), outputs: outputs.map(widened),
            constants: try constants.map { try $0?.widened() }, workers: workers, packedWeights: packedWeights,
            inputValues: inputValues, policy: policy)
        let inner = try prepare(wide)
        // The same bytes need no conversion.
        if !inner.views.isEmpty { return inner }

        var layout = Workspace.Layout()
        let inputTable = layout.reserve(inputs.count, of: UnsafeRawPointer?.self)
        let outputTable = layout.reserve(outputs.count, of: UnsafeMutableRawPointer?.self)
        let sources = inputs.enumerated().map { index, spec in
            HalfBuffer(spec, isUsed: !inner.absorbedInputs.contains(index), &layout)
        }
        let targets = outputs.map { HalfBuffer($0, isUsed: true, &layout) }
        let innerWorkspace = layout.reserve(inner.workspaceByteCount)
        let run = inner.run
        var kernel = Kernel { frame in
            let inputs = frame.scratch(inputTable, as: UnsafeRawPointer?.self)
            let outputs = frame.scratch(outputTable, as: UnsafeMutableRawPointer?.self)
            for (index, source) in sources.enumerated() {
                inputs[index] = frame.inputs[index]
                guard let source, let pointer = frame.inputs[index] else { continue }
                let wide = frame.scratch(source.offset, as: Float.self)
                source.widen(frame.pool, pointer, wide)
                inputs[index] = UnsafeRawPointer(wide)
            }
            for (index, target) in targets.enumerated() {
                outputs[index] =
                    target.map { UnsafeMutableRawPointer(frame.scratch($0.offset, as: Float.self)) }
                    ?? frame.outputs[index]
            }
            try run(
                Frame(
                    inputs: inputs, outputs: outputs, workspace: frame.workspace.map { $0 + innerWorkspace },
                    pool: frame.pool))
            for (index, target) in targets.enumerated() {
                guard let target, let pointer = frame.outputs[index] else { continue }
                target.narrow(frame.pool, frame.scratch(target.offset, as: Float.self), pointer)
            }
        }
        kernel.workspaceByteCount = layout.byteCount
        kernel.absorbedInputs = inner.absorbedInputs
        kernel.packedWeights = inner.packedWeights
        kernel.multiplyAdds = inner.multiplyAdds
        return kernel
    }
}

/// The float form of a half-width tensor in a workspace.
private struct HalfBuffer: Sendable {
    let offset: Int
    let count: Int
    let isBrain: Bool

    init?(_ spec: TensorSpec?, isUsed: Bool, _ layout: inout Workspace.Layout) {
        guard isUsed, let spec, spec.dataType.isHalfWidth else { return nil }
        count = spec.elementCount
        isBrain = spec.dataType == .bfloat16
        offset = layout.reserve(count, of: Float.self)
    }

    func widen(_ pool: OpaquePointer?, _ from: UnsafeRawPointer, _ to: UnsafeMutablePointer<Float>) {
        let bits = from.assumingMemoryBound(to: UInt16.self)
        if isBrain {
            sdx_convert_bf16_f32(pool, bits, to, Int64(count))
        } else {
            sdx_convert_f16_f32(pool, bits, to, Int64(count))
        }
    }

    func narrow(_ pool: OpaquePointer?, _ from: UnsafePointer<Float>, _ to: UnsafeMutableRawPointer) {
        let bits = to.assumingMemoryBound(to: UInt16.self)
        if isBrain {
            sdx_convert_f32_bf16(pool, from, bits, Int64(count))
        } else {
            sdx_convert_f32_f16(pool, from, bits, Int64(count))
        }
    }
}

extension Tensor {
    /// A half-width tensor as float; others as they are.
    func widened() throws -> Tensor {
        guard dataType.isHalfWidth else { return self }
        let source = try aligned()
        let result = try Tensor(uninitialized: .float, shape: shape)
        let bits = source.storage.base.assumingMemoryBound(to: UInt16.self)
        let to = result.storage.base.assumingMemoryBound(to: Float.self)
        // SAFETY: both storages hold `count` elements and live through the calls.
        withExtendedLifetime(source) {
            if dataType == .bfloat16 {
                sdx_convert_bf16_f32(nil, bits, to, Int64(count))
            } else {
                sdx_convert_f16_f32(nil, bits, to, Int64(count))
            }
        }
        return result
    }
}
