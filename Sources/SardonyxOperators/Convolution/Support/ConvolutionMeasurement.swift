import CKernels
import Glibc
import SardonyxGraph

/// The times of the kernels that can compute a convolution, by running them with one thread on memory of its own, which goes
/// when it ends.
///
/// One thread, because the rule of the choice weighs memory against the time of one, and because a file that was measured
/// with two threads would say nothing of eight.
struct ConvolutionMeasurement {
    let form: sdx_conv_params
    let sides: sdx_conv_layout
    /// What the times are estimated to be, in the order of `ConvolutionChoice.algorithms`; infinite ones are not measured.
    let estimates: [Double]

    /// Nanoseconds for which kernels run in turns at the least, and, while other programs' work makes times that still fall,
    /// at the most.
    private static let duration: UInt64 = 30_000_000
    private static let longest: UInt64 = 120_000_000
    private static let fewestTurns = 3
    /// So that layers of microseconds do not take all of that.
    private static let mostTurns = 40
    /// A kernel that takes so many times the least is not run again; the choice takes one of that time
    /// for memory's sake alone, by its estimate.
    private static let hopeless = 3.0

    /// - Parameters:
    ///   - now: nanoseconds of a clock that only goes forward.
    ///   - checkCancellation: throws when nobody waits for the times any more.
    /// - Returns: the least nanoseconds of each; infinity for those that were not run.
    /// - Throws: `SardonyxError` (`memory`) where there is not enough to measure with.
    func times(_ now: () -> UInt64, _ checkCancellation: () throws -> Void) throws -> [Double] {
        var times = [Double](repeating: .infinity, count: estimates.count)
        var runs = [Int](repeating: 0, count: estimates.count)
        var spent: UInt64 = 0
        let buffers = try Buffers(form)
        var candidates: [(index: Int, candidate: Candidate)] = []
        /// Runs a kernel, and says whether it was faster than before.
        func run(_ index: Int, _ candidate: Candidate) throws -> Bool {
            try checkCancellation()
            let time = candidate.run(now)
            spent += UInt64(time)
            runs[index] += 1
            defer { times[index] = min(times[index], time) }
            return time < 0.98 * times[index]
        }
        let order = estimates.indices.filter { estimates[$0].isFinite }.sorted { estimates[$0] < estimates[$1] }
        func isEstimatedHopeless(_ index: Int) -> Bool { estimates[index] > Self.hopeless * estimates[order[0]] }
        for index in order {
            // Each run of a large layer is long.
            if spent > Self.duration, isEstimatedHopeless(index) { continue }
            let candidate = try Candidate(ConvolutionChoice.algorithms[index].algorithm, form, sides, buffers)
            candidates.append((index, candidate))
            _ = try run(index, candidate)
        }
        for turn in 0..<Self.mostTurns {
            if spent > Self.longest { break }
            let least = times.min() ?? 0
            candidates.removeAll { index, _ in
                // One run may have been interrupted, unless the estimate says the same.
                let isTold = runs[index] >= Self.fewestTurns || isEstimatedHopeless(index)
                return times[index] > Self.hopeless * least && isTold
            }
            if candidates.count < 2 { break }
            var isFaster = false
            for (index, candidate) in candidates where try run(index, candidate) { isFaster = true }
            if turn >= Self.fewestTurns, spent > Self.duration, !isFaster { break }
        }
        return times
    }

    /// The tensors, as long as x, y and the weights.
    private struct Buffers {
        let x: TensorStorage
        let y: TensorStorage
        let weights: TensorStorage

        init(_ form: sdx_conv_params) throws {
            func bytes(_ extents: Int64...) throws -> Int {
                var product = MemoryLayout<Float>.size
                for extent in extents {
                    let (next, overflow) = product.multipliedReportingOverflow(by: Int(extent))
                    if overflow { throw SardonyxError(.memory, "the convolution is larger than any memory") }
                    product = next
                }
                return product
            }
            let (i, o, k) = (form.in, form.out, form.kernel)
            x = try Self.filled(bytes(form.n, form.c, i.0, i.1, i.2))
            y = try Self.filled(bytes(form.n, form.k, o.0, o.1, o.2))
            weights = try Self.filled(bytes(form.k, form.c / form.groups, k.0, k.1, k.2))
        }

        /// Memory that is there in fact, with numbers of about 0.01.
        static func filled(_ byteCount: Int) throws -> TensorStorage {
            let storage = try TensorStorage(byteCount: byteCount, for: .lasting)
            memset(storage.base, 0x3C, byteCount)
            return storage
        }
    }

    /// A kernel with what it needs.
    private struct Candidate {
        let algorithm: sdx_conv_algorithm
        let form: sdx_conv_params
        let sides: sdx_conv_layout
        let functions: ConvolutionFunctions
        let buffers: Buffers
        let packed: TensorStorage
        let workspace: TensorStorage
        /// Where reordered values go, of a plain kernel.
        let reordered: TensorStorage?

        init(
            _ algorithm: sdx_conv_algorithm, _ form: sdx_conv_params, _ sides: sdx_conv_layout, _ buffers: Buffers
        ) throws {
            (self.algorithm, self.form, self.sides, self.buffers) = (algorithm, form, sides, buffers)
            let functions = ConvolutionFunctions.by(algorithm, sides)
            self.functions = functions
            let sizes = withUnsafePointer(to: form) { (functions.packedBytes($0), functions.workspaceBytes($0, 1)) }
            // Sizes that do not fit are SIZE_MAX, which reads as -1 here.
            guard (0..<TensorSpec.byteLimit).contains(sizes.0), (0..<TensorSpec.byteLimit).contains(sizes.1) else {
                throw SardonyxError(.memory, "the convolution's scratch memory is larger than any memory")
            }
            packed = try TensorStorage(byteCount: sizes.0, for: .lasting)
            workspace = try Buffers.filled(sizes.1)
            reordered =
                algorithm == SDX_CONV_BY_PLAIN
                ? try Buffers.filled(max(buffers.x.byteCount, buffers.y.byteCount)) : nil
            withUnsafePointer(to: form) {
                functions.pack(
                    $0, buffers.weights.base.assumingMemoryBound(to: Float.self),
                    packed.base.assumingMemoryBound(to: Float.self))
            }
        }

        /// Nanoseconds of one run, a plain kernel's with the reorders and the loss that the choice counts.
        func run(_ now: () -> UInt64) -> Double {
            // In a network the other layers drive weights out of the caches: as the estimates have it, those beyond the second.
            let kept = min(packed.byteCount, Int(sdx_second_cache_bytes()))
            sdx_flush_caches(packed.base + kept, packed.byteCount - kept)
            // SAFETY: the buffers are as long as the form's tensors, packed weights and scratch, and y is nobody else's.
            func floats(_ storage: TensorStorage) -> UnsafeMutablePointer<Float> {
                storage.base.assumingMemoryBound(to: Float.self)
            }
            let (i, o) = (form.in, form.out)
            let start = now()
            if let reordered, sides != SDX_CONV_PLAIN_TO_C8 {
                sdx_from_c8_f32(nil, form.n, form.c, i.0 * i.1 * i.2, floats(buffers.x), floats(reordered))
            }
            let begin = now()
            withUnsafePointer(to: form) {
                functions.run(
                    nil, $0, floats(buffers.x), floats(packed), nil, nil, floats(buffers.y), workspace.base)
            }
            let end = now()
            if let reordered, sides != SDX_CONV_C8_TO_PLAIN {
                sdx_to_c8_f32(nil, form.n, form.k, o.0 * o.1 * o.2, floats(buffers.y), floats(reordered))
            }
            let all = Double(now() - start)
            return reordered != nil ? all + SDX_CONV_PLAIN_LOSS * Double(end - begin) : all
        }
    }
}
