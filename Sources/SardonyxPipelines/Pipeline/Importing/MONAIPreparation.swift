import SardonyxImaging

/// Gathers what the transforms before a network do.
struct MONAIPreparation {
    private let dimensions: Int
    private var channels: [Pipeline.Channel]
    private var orientation: Orientation?
    private var sampling = Pipeline.Sampling.source
    private(set) var interpolation = Interpolation.linear
    private var crop = Pipeline.Crop.none
    private var order: [Stage] = []
    private var multiple = 1
    private var repeatsEdge: Bool?

    private enum Stage: String { case crop, resample, intensity }

    /// Transforms that change neither values nor places, or only how they are held.
    private static let harmless: Set<String> = [
        "LoadImaged", "EnsureChannelFirstd", "AsChannelFirstd", "AddChanneld", "EnsureTyped", "CastToTyped",
        "ToTensord",
        "ToDeviced", "ToNumpyd", "Identityd", "SelectItemsd", "DeleteItemsd", "FromMetaTensord", "ToMetaTensord",
        "Transposed2d", "SimulateDelayd",
    ]

    init(dimensions: Int, channels: [Pipeline.Channel]) {
        self.dimensions = dimensions
        self.channels = channels
    }

    /// The axes of a 2D network's slices follow the first of the three.
    func input(_ window: MONAIWindow) -> Pipeline.Input {
        let last = dimensions == 2 ? min(max(window.sliceAxis ?? 2, 0), 2) : 0
        let places = dimensions == 2 ? [last] + [0, 1, 2].filter { $0 != last } : [0, 1, 2]
        let axes = orientation.flatMap { orientation in
            Orientation(String(places.map { orientation.directions[$0].rawValue }))
        }
        return Pipeline.Input(
            channels: channels, axes: axes.map { .anatomical($0) } ?? .stored(places), sampling: sampling,
            alignment: .centres, interpolation: interpolation,
            changesIntensityFirst: (order.firstIndex(of: .intensity) ?? 9) < (order.firstIndex(of: .resample) ?? 0),
            crop: crop)
    }

    func tiling(_ tiling: Pipeline.Tiling, _ reader: TreeReader) -> Pipeline.Tiling {
        var tiling = tiling
        if tiling.scheme == .whole { tiling.multiple = multiple }
        if let repeatsEdge { tiling.repeatsEdge = repeatsEdge }
        return tiling
    }

    mutating func add(_ component: MONAIComponent, _ reader: TreeReader) {
        var arguments = MONAIArguments(component, reader)
        if MONAIPreparation.harmless.contains(component.name) { return }
        switch component.name {
        case "Orientationd": orient(&arguments, component, reader)
        case "Spacingd":
            begin(.resample, component, reader)
            let values = (arguments.numbers("pixdim") ?? []).prefix(dimensions).map { $0 > 0 ? $0 : nil }
            sampling = .spacing(axes(values))
            interpolation = arguments.interpolation("mode", or: .linear) ?? .linear
            if let padding = arguments.text("padding_mode"), padding != "border" {
                arguments.unsupported("padding_mode")
            }
            arguments.ignore(["align_corners", "ensure_same_shape", "recompute_affine", "diagonal", "scale_extent"])
        case "Resized":
            begin(.resample, component, reader)
            let values = (arguments.integers("spatial_size") ?? []).map { $0 > 0 ? $0 : nil }
            sampling = .size(axes(values))
            if let mode = arguments.text("size_mode"), mode != "all" { arguments.unsupported("size_mode") }
            if arguments.text("mode") == "nearest" {
                arguments.unsupported("mode", nil, "write nearest-exact, which differs by half a voxel at most")
            }
            if !arguments.has("mode") { arguments.unsupported("mode", "the mode area, which is MONAI's default,") }
            interpolation = arguments.interpolation("mode", or: .linear) ?? .linear
            if arguments.flag("anti_aliasing") == true {
                arguments.unsupported("anti_aliasing", nil, "write false, or a pipeline.yaml with antialias")
            }
            arguments.ignore(["anti_aliasing_sigma"])
            if arguments.flag("align_corners") == true { arguments.unsupported("align_corners") }
        case "CropForegroundd": cropForeground(&arguments, component, reader)
        case "SpatialPadd":
            // Before a sliding window, which pads as much itself.
            arguments.ignore(["spatial_size", "method"])
            pad(&arguments)
        case "DivisiblePadd":
            let values = arguments.integers("k") ?? []
            if Set(values).count == 1 { multiple = values[0] } else { arguments.unsupported("k") }
            if let method = arguments.text("method"), method != "symmetric" { arguments.unsupported("method") }
            pad(&arguments)
        default:
            guard let steps = intensity(&arguments, component.name) else {
                reader.add(
                    component.tree, component.path, "the transform \(component.name) is not supported",
                    "remove it if the result does not need it")
                return
            }
            begin(.intensity, component, reader)
            for n in channels.indices { channels[n].intensity += steps[min(n, steps.count - 1)] }
        }
        arguments.close()
    }

    /// Stages may come once each; several steps of intensity follow one another.
    private mutating func begin(_ stage: Stage, _ component: MONAIComponent, _ reader: TreeReader) {
        if order.last == stage, stage == .intensity { return }
        if order.contains(stage) {
            reader.add(
                component.tree, component.path,
                "\(component.name) a second time, after other stages, is not supported",
                "put the transforms of \(stage.rawValue) together")
        } else {
            order.append(stage)
        }
    }

    /// One value for all axes, or one for each; the slices of a 2D network keep theirs.
    private func axes<T>(_ values: [T?]) -> [T?] {
        let values = values.count == 1 ? Array(repeating: values[0], count: dimensions) : values
        return values.count == 2 ? [nil] + values : values
    }

    private mutating func orient(
        _ arguments: inout MONAIArguments, _ component: MONAIComponent, _ reader: TreeReader
    ) {
        let code = arguments.flag("as_closest_canonical") == true ? "RAS" : arguments.text("axcodes") ?? ""
        orientation = Orientation(code)
        if orientation == nil { arguments.unsupported("axcodes") }
        arguments.ignore(["labels"])
        let isFree: Bool
        switch sampling {
        case .source: isFree = true
        // The voxel that stays where it is would be another one.
        case .spacing: isFree = false
        case .size(let values): isFree = Set(values).count == 1
        }
        if !isFree {
            reader.add(
                component.tree, component.path,
                "Orientationd after Spacingd, or after different sizes an axis, is not supported", "put it first")
        }
    }

    private mutating func cropForeground(
        _ arguments: inout MONAIArguments, _ component: MONAIComponent, _ reader: TreeReader
    ) {
        begin(.crop, component, reader)
        var above: Double? = 0
        if let function = component["select_fn"]?.text {
            // "$lambda x: x > -500"
            let words = function.filter { $0 != " " }
            above = words.hasPrefix("$lambdax:x>") ? Tree.number(String(words.dropFirst(11))) : nil
            if above == nil { arguments.unsupported("select_fn") }
        }
        // A pipeline crops before the intensities: the bound goes back through those that came first.
        if order.contains(.intensity), let bound = above {
            let isSame = channels.allSatisfy { $0.intensity == channels[0].intensity }
            above = isSame ? source(of: bound) : nil
            if above == nil {
                reader.add(
                    component.tree, component.path,
                    "CropForegroundd after these intensity transforms is not supported", "put it before them")
            }
        }
        let margins = arguments.integers("margin") ?? [0]
        if Set(margins).count > 1 { arguments.unsupported("margin") }
        if arguments.flag("allow_smaller") != true, margins != [0] {
            arguments.unsupported(
                "margin", "a margin that goes on outside the image",
                "write \"allow_smaller\": true, or no margin")
        }
        crop = .foreground(above: above ?? 0, margin: margins[0])
        if let k = arguments.integers("k_divisible"), k.contains(where: { $0 != 1 }) {
            arguments.unsupported("k_divisible")
        }
        arguments.ignore(["source_key", "select_fn", "mode", "start_coord_key", "end_coord_key"])
    }

    /// The value that the steps so far make `bound` of, where larger ones become larger; `nil` where none does.
    private func source(of bound: Double) -> Double? {
        var bound = bound
        for step in channels[0].intensity.reversed() {
            switch step {
            case .scale(let low, let high, let newLow, let newHigh, let clips) where low < high && newLow < newHigh:
                guard !clips || (newLow..<newHigh).contains(bound) else { return nil }
                bound = (bound - newLow) / (newHigh - newLow) * (high - low) + low
            case .clip(let low, let high): guard bound >= low, bound < high else { return nil }
            case .normalize(let mean, let deviation): bound = bound * deviation + mean
            case .linear(let factor, let offset) where factor > 0: bound = (bound - offset) / factor
            default: return nil
            }
        }
        return bound
    }

    private mutating func pad(_ arguments: inout MONAIArguments) {
        switch arguments.text("mode") ?? "constant" {
        case "constant": break
        case "edge", "replicate": repeatsEdge = true
        default: arguments.unsupported("mode")
        }
        if let value = arguments.number("value") ?? arguments.number("constant_values"), value != 0 {
            arguments.unsupported("value")
        }
    }

    // MARK: - Intensity

    /// Steps, one list a channel or one for all; `nil` for what is not a change of intensity.
    private func intensity(_ arguments: inout MONAIArguments, _ name: String) -> [[Pipeline.IntensityStep]]? {
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
            let (newLow, newHigh) = (arguments.number("b_min") ?? 0, arguments.number("b_max") ?? 1)
            return [
                [.scale(low: low, high: high, newLow: newLow, newHigh: newHigh, clips: arguments.flag("clip") ?? false)]
            ]
        case "ScaleIntensityd":
            needChannelWise()
            let isNull = arguments.component.tree["minv"] == nil && arguments.component.tree["maxv"] == nil
            if let factor = arguments.number("factor"), isNull,
                arguments.component.arguments.contains(where: { $0.key.text == "minv" })
            {
                arguments.ignore(["minv", "maxv"])
                return [[.linear(factor: 1 + factor, offset: 0)]]
            }
            return [
                [
                    .scaleToRange(
                        newLow: arguments.number("minv") ?? 0, newHigh: arguments.number("maxv") ?? 1,
                        region: .everything)
                ]
            ]
        case "ScaleIntensityRangePercentilesd":
            needChannelWise()
            if arguments.flag("relative") == true { arguments.unsupported("relative") }
            guard let low = arguments.number("lower"), let high = arguments.number("upper") else {
                arguments.missing("lower")
                return [[]]
            }
            let (newLow, newHigh) = (arguments.number("b_min") ?? 0, arguments.number("b_max") ?? 1)
            return [
                [
                    .scalePercentiles(
                        low: low, high: high, newLow: newLow, newHigh: newHigh, clips: arguments.flag("clip") ?? false,
                        region: .everything)
                ]
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
}
