import SardonyxImaging

/// Gathers what the transforms before a network do.
struct MONAIPreparation {
    private let dimensions: Int
    private let window: MONAIWindow
    /// The image's name among what the transforms work on.
    private let key: String
    private(set) var channels: [Pipeline.Channel]
    private var orientation: Orientation?
    private(set) var sampling = Pipeline.Sampling.source
    private(set) var interpolation = Interpolation.linear
    private(set) var crop = Pipeline.Crop.none
    private var order: [Stage] = []
    private var multiple = 1
    private var repeatsEdge: Bool?
    private var isPadded = false

    private enum Stage: String { case crop, resample, intensity }

    /// Transforms that change neither values nor places, or only how they are held.
    private static let harmless: Set<String> = [
        "LoadImaged", "EnsureChannelFirstd", "AsChannelFirstd", "AddChanneld", "EnsureTyped", "CastToTyped",
        "ToTensord",
        "ToDeviced", "ToNumpyd", "Identityd", "SelectItemsd", "DeleteItemsd", "FromMetaTensord", "ToMetaTensord",
        "Transposed2d", "SimulateDelayd",
    ]

    init(dimensions: Int, window: MONAIWindow, channels: [Pipeline.Channel], key: String) {
        self.dimensions = dimensions
        self.window = window
        self.key = key
        self.channels = channels
    }

    /// Spatial axes of the image: a 2D network sees pictures, or slices of volumes.
    var rank: Int { dimensions == 2 && window.sliceAxis == nil ? 2 : 3 }

    /// MONAI's axis of each of the network's three: the slices of a 2D network follow one another along the first.
    private var places: [Int] {
        guard dimensions == 2 else { return [0, 1, 2] }
        let last = min(max(window.sliceAxis ?? 2, 0), 2)
        return [last] + [0, 1, 2].filter { $0 != last }
    }

    var input: Pipeline.Input {
        let axes = orientation.flatMap { orientation in
            Orientation(String(places.map { orientation.directions[$0].rawValue }))
        }
        return Pipeline.Input(
            channels: channels, axes: axes.map { .anatomical($0) } ?? .stored(places), sampling: sampling,
            alignment: .centres, interpolation: interpolation,
            changesIntensityFirst: comes(.resample, after: .intensity),
            crop: crop, cropsLast: comes(.crop, after: .resample))
    }

    private func comes(_ stage: Stage, after other: Stage) -> Bool {
        guard let place = order.firstIndex(of: stage), let first = order.firstIndex(of: other) else { return false }
        return first < place
    }

    func tiling(_ tiling: Pipeline.Tiling, _ reader: TreeReader) -> Pipeline.Tiling {
        var tiling = tiling
        if tiling.scheme == .whole { tiling.multiple = multiple }
        if let repeatsEdge { tiling.repeatsEdge = repeatsEdge }
        return tiling
    }

    mutating func add(_ component: MONAIComponent, _ reader: TreeReader) {
        var arguments = MONAIArguments(component, reader, key: key)
        guard arguments.isForKey() else { return }
        if MONAIPreparation.harmless.contains(component.name) {
            let type = arguments.type("dtype")
            if ["CastToTyped", "EnsureTyped"].contains(component.name), type.contains("int") || type.contains("bool") {
                arguments.unsupported("dtype", "rounding to \(type)")
            }
            return
        }
        switch component.name {
        case "Orientationd": orient(&arguments, component, reader)
        case "Spacingd":
            begin(.resample, component, reader)
            let values = (arguments.numbers("pixdim") ?? []).map { $0 > 0 ? $0 : nil }
            sampling = .spacing(axes(values))
            interpolation = arguments.interpolation("mode", or: .linear) ?? .linear
            let isSpline = Int(arguments.text("mode") ?? "") != nil
            if let padding = arguments.text("padding_mode"), padding != "border", padding != "nearest" || !isSpline {
                arguments.unsupported("padding_mode")
            }
            for name in ["diagonal", "scale_extent"] where arguments.flag(name) == true { arguments.unsupported(name) }
            arguments.ignore(["align_corners", "ensure_same_shape", "recompute_affine"])
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
            // A sliding window pads as much itself.
            let sizes = repeated(arguments.integers("spatial_size") ?? [], dimensions)
            if let tile = window.size.map({ repeated($0, dimensions) }), sizes.count == tile.count,
                zip(sizes, tile).allSatisfy({ $0 <= $1 }), window.sliceAxis == nil
            {
                pad(&arguments)
            } else {
                arguments.unsupported("spatial_size", "more padding than a sliding window makes")
            }
        case "DivisiblePadd":
            let values = arguments.integers("k") ?? []
            if Set(values).count == 1, window.size == nil {
                multiple = values[0]
            } else {
                arguments.unsupported("k", window.size == nil ? nil : "k before a sliding window")
            }
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
        if isPadded {
            reader.add(
                component.tree, component.path, "\(component.name) after padding is not supported",
                "put the padding last")
        }
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

    /// Values of MONAI's axes along the network's; the last one stands for those that are missing.
    private func axes<T>(_ values: [T?]) -> [T?] {
        let all = repeated(values, rank)
        if all.count < rank { return all }
        return rank == 2 ? [nil] + all : places.map { all[$0] }
    }

    private func repeated<T>(_ values: [T], _ count: Int) -> [T] {
        guard let last = values.last else { return [] }
        return (0..<count).map { $0 < values.count ? values[$0] : last }
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
        // A pipeline crops before the intensities of a grid: the bound goes back through those that came first.
        if comes(.crop, after: .intensity), !comes(.resample, after: .intensity), let bound = above {
            let isSame = channels.allSatisfy { $0.intensity == channels[0].intensity }
            above = isSame ? source(of: bound) : nil
            if above == nil {
                reader.add(
                    component.tree, component.path,
                    "CropForegroundd after these intensity transforms is not supported", "put it before them")
            }
        }
        let margins = arguments.integers("margin") ?? [0]
        if let source = component["source_key"]?.text, source != key {
            arguments.unsupported("source_key", "a crop around another image (\(source))")
        }
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
        isPadded = true
        if let method = arguments.text("method"), method != "symmetric" { arguments.unsupported("method") }
        switch arguments.text("mode") ?? "constant" {
        case "constant": break
        case "edge", "replicate": repeatsEdge = true
        default: arguments.unsupported("mode")
        }
        if let value = arguments.number("value") ?? arguments.number("constant_values"), value != 0 {
            arguments.unsupported("value")
        }
    }
}
