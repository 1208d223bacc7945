import CKernels
import SardonyxGraph

/// y[…, i, j] = Σₖ Pₖ · v[…, k, j], P = softmaxₖ(scale · Σ_d q[…, i, d] · k[…, k, d] + a + b), without the scores in memory.
///
/// `FuseAttention` makes these nodes; files cannot name them. a and b broadcast to batch axes of their own, the attributes
/// `a_batch` and `b_batch`, whose product is that of q's, followed by queries and keys.
package enum FusedAttention: Operator {
    package static let schema = Schema(
        "FusedAttention", domain: "sardonyx", versions: [1],
        inputs: [
            Parameter("Q", "T", [.float]), Parameter("K", "T", [.float]), Parameter("V", "T", [.float]),
            Parameter("A", "T", [.float], .optional), Parameter("B", "T", [.float], .optional),
        ],
        outputs: [Parameter("Y", "T", [.float])],
        attributes: [
            AttributeSpec("scale", .float), AttributeSpec("keys_are_columns", .int), AttributeSpec("a_batch", .ints),
            AttributeSpec("b_batch", .ints),
        ])

    package static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let q = context.shape(0), let v = context.shape(2), q.count >= 2, v.count >= 2 else {
            return context.set(0, type, nil)
        }
        context.set(0, type, Array(v.dropLast(2)) + [q[q.count - 2], v[v.count - 1]])
    }

    package static func prepare(_ context: PreparationContext) throws -> Kernel {
        let shapes = try (0..<3).map { try context.input($0).shape }
        guard shapes.allSatisfy({ $0.count >= 2 }) else {
            throw SardonyxError(.invalidModel, "queries, keys and values need two axes at least")
        }
        let (q, k, v) = (shapes[0], shapes[1], shapes[2])
        let batch = v.dropLast(2).reduce(1, *)
        let isColumns = context.node.int("keys_are_columns", default: 0) != 0
        let (depth, keys) = isColumns ? (k[k.count - 2], k[k.count - 1]) : (k[k.count - 1], k[k.count - 2])
        guard q.dropLast(2).reduce(1, *) == batch, k.dropLast(2).reduce(1, *) == batch, q[q.count - 1] == depth,
            v[v.count - 2] == keys
        else {
            throw SardonyxError(.invalidModel, "queries \(q), keys \(k) and values \(v) do not go together")
        }
        let sizes = Sizes(
            batch: batch, queries: q[q.count - 2], keys: keys, depth: depth, width: v[v.count - 1],
            keysAreColumns: isColumns, scale: context.node.float("scale", default: 1))
        let a = try Addend(context, input: 3, "a_batch", sizes)
        let b = try Addend(context, input: 4, "b_batch", sizes)
        let workspace = withUnsafePointer(to: sizes.form) {
            sdx_attention_f32_workspace_bytes($0, Int32(context.workers))
        }
        // A size that does not fit is SIZE_MAX, which reads as -1 here.
        guard (0..<TensorSpec.byteLimit).contains(workspace) else {
            throw SardonyxError(.memory, "the scratch memory of attention over \(keys) keys is larger than any memory")
        }
        var kernel = Kernel { frame in
            a.withForm(frame) { a in
                b.withForm(frame) { b in
                    var form = sizes.form
                    form.q = frame.input(0)
                    form.k = frame.input(1)
                    form.v = frame.input(2)
                    form.addends = (a, b)
                    form.y = frame.output(0)
                    sdx_attention_f32_run(frame.pool, &form, frame.workspace)
                }
            }
        }
        kernel.workspaceByteCount = workspace
        kernel.multiplyAdds = batch &* sizes.queries &* keys &* (depth &+ sizes.width)
        return kernel
    }

    private struct Sizes: Sendable {
        let batch, queries, keys, depth, width: Int
        let keysAreColumns: Bool
        let scale: Float

        /// What the kernel takes, without pointers.
        var form: sdx_attention {
            var form = sdx_attention()
            form.batch = Int64(batch)
            form.queries = Int64(queries)
            form.keys = Int64(keys)
            form.depth = Int64(depth)
            form.width = Int64(width)
            form.keys_are_columns = keysAreColumns ? 1 : 0
            form.scale = scale
            return form
        }
    }

    /// What is added to the scores, and where each of the batch finds it.
    private struct Addend: Sendable {
        private let input: Int
        /// Empty without an addend.
        private let offsets: [Int64]
        private let rowStride: Int64
        private let keyStride: Int64

        init(_ context: PreparationContext, input: Int, _ attribute: String, _ sizes: Sizes) throws {
            self.input = input
            // A table of offsets for results that have no elements could be of any size.
            guard context.has(input), sizes.batch > 0, sizes.queries > 0, sizes.width > 0 else {
                (offsets, rowStride, keyStride) = ([], 0, 0)
                return
            }
            let shape = try context.input(input).shape
            let space = (context.node.ints(attribute) ?? []) + [sizes.queries, sizes.keys]
            let padded = [Int](repeating: 1, count: max(0, space.count - shape.count)) + shape
            guard padded.count == space.count, zip(padded, space).allSatisfy({ $0 == 1 || $0 == $1 }),
                space.dropLast(2).allSatisfy({ $0 >= 0 }), space.dropLast(2).checkedElementCount == sizes.batch
            else {
                throw SardonyxError(.invalidModel, "an addend of shape \(shape) does not fit scores of \(space)")
            }
            let strides = zip(padded, padded.rowMajorStrides).map { $0 == 1 ? 0 : $1 }
            (rowStride, keyStride) = (Int64(strides[space.count - 2]), Int64(strides[space.count - 1]))
            var offsets: [Int64] = [0]
            for (extent, stride) in zip(space, strides).dropLast(2) {
                offsets = offsets.flatMap { start in (0..<extent).map { start + Int64($0 * stride) } }
            }
            self.offsets = offsets
        }

        func withForm(_ frame: Frame, _ body: (sdx_attention_addend) -> Void) {
            offsets.withUnsafeBufferPointer { offsets in
                var form = sdx_attention_addend()
                if !offsets.isEmpty {
                    form.values = frame.input(input)
                    form.offsets = offsets.baseAddress
                    form.row_stride = rowStride
                    form.key_stride = keyStride
                }
                body(form)
            }
        }
    }

    package static let examples = [
        Example(
            "two queries look for their keys",
            attributes: ["scale": .float(100)],
            inputs: [
                Tensor(shape: [2, 2], scalars: [1, 0, 0, 1] as [Float]),
                Tensor(shape: [3, 2], scalars: [0, 1, 1, 0, 0, 0] as [Float]),
                Tensor(shape: [3, 1], scalars: [5, 6, 7] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 1], scalars: [6, 5] as [Float])], tolerance: 1e-6),
        Example(
            "keys in columns, a mask for each of a batch and a bias for all",
            attributes: ["keys_are_columns": .int(1), "a_batch": .ints([1, 2]), "b_batch": .ints([2])],
            inputs: [
                Tensor(shape: [2, 1, 1], scalars: [0, 0] as [Float]),
                Tensor(shape: [2, 1, 2], scalars: [3, 4, 5, 6] as [Float]),
                Tensor(shape: [2, 2, 1], scalars: [1, 3, 10, 20] as [Float]),
                Tensor(shape: [2, 1, 2], scalars: [0, -200, 0, 0] as [Float]),
                Tensor(shape: [1, 1], scalars: [7] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 1, 1], scalars: [1, 15] as [Float])], tolerance: 1e-6),
    ]
}
