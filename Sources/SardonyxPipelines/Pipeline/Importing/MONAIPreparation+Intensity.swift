import SardonyxImaging

extension MONAIPreparation {
    /// Steps, one list a channel or one for all; `nil` for what is not a change of intensity.
    func intensity(_ arguments: inout MONAIArguments, _ name: String) -> [[Pipeline.IntensityStep]]? {
        /// Statistics that MONAI takes over all channels at once.
        func needChannelWise() {
            let isWise = arguments.flag("channel_wise") ?? false
            if !isWise, channels.count > 1 {
                arguments.unsupported(
                    "channel_wise", "one statistic over all \(channels.count) channels", "write \"channel_wise\": true")
            }
        }
        switch name {
        case "ScaleIntensityRanged":
            guard let low = arguments.number("a_min"), let high = arguments.number("a_max") else {
                arguments.missing("a_min")
                return [[]]
            }
            let to = target(&arguments)
            return [
                [.scale(low: low, high: high, newLow: to.low, newHigh: to.high, clips: to.clips)] + to.clip
            ]
        case "ScaleIntensityd":
            needChannelWise()
            let (low, high) = (arguments.number("minv"), arguments.number("maxv"))
            func isNone(_ name: String) -> Bool { arguments.isNull(name) }
            switch (isNone("minv"), isNone("maxv")) {
            case (true, true): return [[.linear(factor: 1 + (arguments.number("factor") ?? 0), offset: 0)]]
            // With one of them MONAI scales to 0 … 1.
            case (true, false), (false, true): return [[.scaleToRange(newLow: 0, newHigh: 1, region: .everything)]]
            case (false, false):
                arguments.ignore(["factor"])
                return [[.scaleToRange(newLow: low ?? 0, newHigh: high ?? 1, region: .everything)]]
            }
        case "ScaleIntensityRangePercentilesd":
            needChannelWise()
            guard let low = arguments.number("lower"), let high = arguments.number("upper") else {
                arguments.missing("lower")
                return [[]]
            }
            var to = target(&arguments)
            if arguments.flag("relative") == true {
                let length = to.high - to.low
                (to.low, to.high) = (to.low + length * low / 100, to.low + length * high / 100)
            }
            return [
                [
                    .scalePercentiles(
                        low: low, high: high, newLow: to.low, newHigh: to.high, clips: to.clips, region: .everything)
                ] + to.clip
            ]
        case "ClipIntensityPercentilesd":
            needChannelWise()
            if arguments.has("sharpness_factor") { arguments.unsupported("sharpness_factor") }
            return [
                [
                    .clipPercentiles(
                        low: arguments.number("lower") ?? 0, high: arguments.number("upper") ?? 100, region: .everything
                    )
                ]
            ]
        case "ShiftIntensityd":
            arguments.ignore(["safe"])
            return [[.linear(factor: 1, offset: arguments.number("offset") ?? 0)]]
        case "ThresholdIntensityd":
            let isAbove = arguments.flag("above") ?? true
            guard let threshold = arguments.number("threshold"), arguments.number("cval") ?? 0 == threshold else {
                arguments.unsupported("cval", "another value than the threshold")
                return [[]]
            }
            return [[isAbove ? .clip(low: threshold, high: .infinity) : .clip(low: -.infinity, high: threshold)]]
        case "NormalizeIntensityd":
            let isNonzero = arguments.flag("nonzero") ?? false
            guard arguments.has("subtrahend") || arguments.has("divisor") else {
                needChannelWise()
                return [[.zScore(region: isNonzero ? .nonzero : .everything, onlyInside: isNonzero)]]
            }
            arguments.ignore(["channel_wise"])
            if isNonzero { arguments.unsupported("nonzero", "nonzero with given figures") }
            for name in ["subtrahend", "divisor"] where !arguments.has(name) {
                arguments.unsupported(name, "a figure of the image beside a given one", "write both, or neither")
            }
            let means = arguments.numbers("subtrahend") ?? [0]
            let deviations = arguments.numbers("divisor") ?? [1]
            return (0..<max(means.count, deviations.count)).map { n in
                [
                    .normalize(
                        mean: means[min(n, means.count - 1)], deviation: deviations[min(n, deviations.count - 1)])
                ]
            }
        default: return nil
        }
    }
    /// What b_min, b_max and clip say: MONAI scales to 0 … 1 unless both are there, and clips to those that are.
    private func target(
        _ arguments: inout MONAIArguments
    ) -> (low: Double, high: Double, clips: Bool, clip: [Pipeline.IntensityStep]) {
        let (low, high) = (arguments.number("b_min"), arguments.number("b_max"))
        let clips = arguments.flag("clip") ?? false
        if let low, let high { return (low, high, clips, []) }
        let isClipped = clips && (low ?? high) != nil
        return (0, 1, false, isClipped ? [.clip(low: low ?? -.infinity, high: high ?? .infinity)] : [])
    }
}
