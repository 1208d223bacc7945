import CKernels
import SardonyxGraph

/// Which kernel computes a convolution on tensors of certain layouts: as it was measured, where it was, and else as its cost
/// is estimated.
struct ConvolutionChoice {
    let form: sdx_conv_params
    let sides: sdx_conv_layout

    /// In the order of preference, by the names that files know them by.
    static let algorithms: [(algorithm: sdx_conv_algorithm, name: String)] = {
        let all = sdx_conv_algorithms
        return [all.0, all.1, all.2, all.3, all.4, all.5, all.6].map { ($0, name($0)) }
    }()

    static func isWinograd(_ algorithm: sdx_conv_algorithm) -> Bool {
        algorithm.rawValue >= SDX_CONV_BY_WINOGRAD_2.rawValue
    }

    static func name(_ algorithm: sdx_conv_algorithm) -> String {
        switch algorithm {
        case SDX_CONV_BY_PLAIN: "plain"
        case SDX_CONV_BY_BLOCKS: "blocks"
        case SDX_CONV_BY_WINOGRAD_2: "winograd 2"
        case SDX_CONV_BY_WINOGRAD_2_DEEP: "winograd 2 deep"
        case SDX_CONV_BY_WINOGRAD_4: "winograd 4"
        case SDX_CONV_BY_WINOGRAD_4_DEEP: "winograd 4 deep"
        default: "winograd rows"
        }
    }

    /// The estimated times, in the order of `algorithms`; infinite for what cannot compute it or may not under the policy.
    private func estimates(_ policy: KernelPolicy) -> [Double] {
        var times = [Double](repeating: .infinity, count: Self.algorithms.count)
        withUnsafePointer(to: form) { sdx_conv_estimates($0, sides, sdx_conv_costs_of(sdx_isa_current()), &times) }
        guard policy.isStrict else { return times }
        return zip(Self.algorithms, times).map { Self.isWinograd($0.algorithm) ? .infinity : $1 }
    }

    /// Of the kernel that is estimated to be the fastest; nil where none is possible.
    func estimate(_ policy: KernelPolicy) -> KernelEstimate? {
        let times = estimates(policy)
        guard let best = times.indices.min(by: { times[$0] < times[$1] }), times[best].isFinite else { return nil }
        return KernelEstimate(
            nanoseconds: times[best],
            weightBytes: withUnsafePointer(to: form) { sdx_conv_weight_bytes($0, Self.algorithms[best].algorithm) })
    }

    /// The algorithm under a policy.
    func algorithm(_ policy: KernelPolicy) throws -> sdx_conv_algorithm {
        let times = estimates(policy)
        let timePerByte =
            policy.timePerByte ?? withUnsafePointer(to: form) { sdx_conv_time_per_byte($0, times) }
        let possible = Self.algorithms.indices.filter { times[$0].isFinite }
        if possible.count > 1, !isEmpty, let choices = policy.choices {
            let question = policy.isStrict && canBeWinograd ? text + ", strict" : text
            if let checkCancellation = policy.measuring {
                try choices.measure(question) { now in
                    let measured = try ConvolutionMeasurement(form: form, sides: sides, estimates: times)
                        .times(now, checkCancellation)
                    return MeasuredChoice(
                        chosen: Self.algorithms[tuned(measured, estimates: times, timePerByte)].name,
                        times: possible.filter { measured[$0].isFinite }.map {
                            (Self.algorithms[$0].name, measured[$0])
                        })
                }
            }
            let names = possible.map { Self.algorithms[$0].name }
            if let answer = try choices.answer(to: question, possible: names),
                let found = Self.algorithms.first(where: { $0.name == answer })
            {
                return found.algorithm
            }
        }
        return Self.algorithms[choose(times, timePerByte)].algorithm
    }

    /// What the rule of the choice says of measured times, or, where that is slower, of the estimated ones: measuring never
    /// makes a layer slower.
    ///
    /// The rule weighs bytes against nanoseconds of the machine that the costs are of. On a slower or busy one all times are
    /// longer, and no byte is worth less: the median of what the kernels took by what was estimated says by how much.
    func tuned(_ measured: [Double], estimates: [Double], _ timePerByte: Double) -> Int {
        let ratios = zip(measured, estimates).filter { $0.isFinite && $1.isFinite }.map { $0 / $1 }.sorted()
        let scale = ratios.isEmpty ? 1 : max(ratios[(ratios.count - 1) / 2], .leastNormalMagnitude)
        let (found, estimated) = (choose(measured.map { $0 / scale }, timePerByte), choose(estimates, timePerByte))
        return measured[estimated] < measured[found] ? estimated : found
    }

    /// The place of the chosen algorithm among all.
    private func choose(_ times: [Double], _ timePerByte: Double) -> Int {
        let chosen = withUnsafePointer(to: form) { sdx_conv_choose_by_times($0, times, timePerByte).chosen }
        return Self.algorithms.firstIndex { $0.algorithm == chosen } ?? 0
    }

    /// Whether one of Winograd's forms can compute it.
    private var canBeWinograd: Bool {
        Self.algorithms.contains { entry in
            Self.isWinograd(entry.algorithm)
                && withUnsafePointer(to: form) { sdx_conv_algorithm_supported($0, sides, entry.algorithm) } != 0
        }
    }

    /// Whether there is nothing to compute.
    private var isEmpty: Bool { form.n == 0 || form.k == 0 || form.out.0 == 0 || form.out.1 == 0 || form.out.2 == 0 }

    /// All that times depend on beside the machine, as people read it.
    private var text: String {
        func extents(_ values: (Int64, Int64, Int64)) -> String { "\(values.0)x\(values.1)x\(values.2)" }
        let layout =
            switch sides {
            case SDX_CONV_PLAIN_TO_C8: "plain to blocks"
            case SDX_CONV_C8_TO_PLAIN: "blocks to plain"
            default: "blocks to blocks"
            }
        return "\(form.n) x \(form.c) to \(form.k) channels in \(form.groups) groups, "
            + "\(extents(form.in)) to \(extents(form.out)), kernel \(extents(form.kernel)), "
            + "stride \(extents(form.stride)), dilation \(extents(form.dilation)), "
            + "padding \(extents(form.pad_begin)), \(layout)"
    }
}
