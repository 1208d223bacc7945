import SardonyxImaging

/// plans.json and dataset.json of nnU-Net v2, as a pipeline: what its predictor does around the network.
///
/// Transposed as the plans say, cropped to what is not 0, normalised, resampled, tiled with half overlap and Gaussian
/// weights, mirrored along every axis; logits are resampled back, then decided on. The checkpoint, which is not read,
/// would tell the axes for mirroring: the trainer's name in the folder's does it too.
struct NNUNetPlans {
    private let plans: Tree
    private let dataset: Tree
    private let path: String
    private let folder: String
    private let wanted: String?
    private let reader = TreeReader()

    /// - Parameters:
    ///   - folder: its name, as in `nnUNetTrainer__nnUNetPlans__3d_fullres`.
    ///   - configuration: the one to use; `nil` for the folder's, or the only one.
    init(plans: Tree, dataset: Tree, path: String, folder: String, configuration: String?) {
        self.plans = plans
        self.dataset = dataset
        self.path = path
        self.folder = folder
        wanted = configuration
    }

    /// Trainer, plans and configuration of a folder that nnU-Net made.
    private var parts: [String] {
        var parts = [""]
        var rest = folder[...]
        while let first = rest.first {
            let isMark = rest.hasPrefix("__")
            if isMark { parts.append("") } else { parts[parts.count - 1].append(first) }
            rest = rest.dropFirst(isMark ? 2 : 1)
        }
        return parts
    }

    /// - Throws: `PipelineError` with everything that cannot be done.
    func pipeline() throws -> Pipeline {
        guard let configuration = try chosen() else { throw PipelineError(path: path, problems: reader.problems) }
        let labels = readLabels()
        let patch = integers(configuration, "patch_size")
        let image = resampling(configuration, "resampling_fn_data")
        let back = resampling(configuration, "resampling_fn_probabilities")
        if let image, let back, image.separates != back.separates {
            let tree = configuration["resampling_fn_probabilities_kwargs"] ?? configuration.tree
            unsupported(
                tree, configuration.path("resampling_fn_probabilities_kwargs"),
                "force_separate_z differs from that of resampling_fn_data_kwargs")
        }
        if let name = configuration["preprocessor_name"], name.text != "DefaultPreprocessor" {
            unsupported(name, configuration.path("preprocessor_name"), "the preprocessor \(name.found)")
        }
        for key in ["previous_stage", "previous_stage_name"] {
            if let stage = configuration[key] {
                unsupported(
                    stage, configuration.path(key),
                    "a cascade, whose second stage sees the labels of the first (\(stage.found)),")
            }
        }
        if let manager = plans["label_manager"], manager.text != "LabelManager" {
            unsupported(manager, "label_manager", "the label manager \(manager.found)")
        }
        let pipeline = Pipeline(
            name: plans["dataset_name"]?.text ?? folder,
            input: Pipeline.Input(
                channels: channels(configuration), axes: axes(),
                sampling: image?.keepsGrid == true ? .source : sampling(configuration),
                alignment: .faces, interpolation: image?.interpolation ?? .linear,
                keepsRange: image?.interpolation == .cubic, changesIntensityFirst: true,
                separateAnisotropicAxis: image?.separates ?? false, crop: .nonzero(margin: 0)),
            tiling: Pipeline.Tiling(scheme: .nnunet, size: patch, mirror: mirror(min(max(patch.count, 1), 3))),
            output: Pipeline.Output(
                activation: labels.areRegions ? .sigmoid : .softmax, activatesLast: true,
                interpolation: back?.interpolation ?? .linear, decision: labels.areRegions ? .threshold(0.5) : .argmax),
            labels: labels.labels,
            results: [
                .init(.image, "labels" + ending()), .init(.picture, "overlay.png"), .init(.measures, "measures.csv"),
                .init(.measures, "measures.json"),
            ])
        if reader.problems.isEmpty { reader.add(pipeline.problems()) }
        guard reader.problems.isEmpty else { throw PipelineError(path: path, problems: reader.problems) }
        return pipeline
    }

    private func unsupported(_ tree: Tree, _ field: String, _ what: String, _ remedy: String = "") {
        reader.add(tree, field, "\(what) is not supported", remedy)
    }

    private func wrong(_ tree: Tree, _ field: String, _ expected: String) {
        reader.add(tree, field, "\(tree.found) was found, \(expected) was expected")
    }

    // MARK: - The configuration

    /// A configuration and those that it inherits from; the first that has a field gives it.
    private struct Configuration {
        let name: String
        let trees: [Tree]

        var tree: Tree { trees[0] }
        subscript(key: String) -> Tree? { trees.lazy.compactMap { $0[key] }.first }
        func path(_ key: String) -> String { "configurations.\(name).\(key)" }
    }

    private func chosen() throws -> Configuration? {
        guard let all = plans["configurations"], let map = all.map, !map.isEmpty else {
            reader.add(plans, "configurations", "the field is missing", "check that this is a plans file of nnU-Net v2")
            return nil
        }
        let names = map.compactMap(\.key.text)
        let inFolder = parts.count == 3 ? parts[2] : nil
        guard let name = wanted ?? inFolder ?? (names.count == 1 ? names[0] : nil), all[name] != nil else {
            reader.add(
                all, "configurations",
                (wanted ?? inFolder).map { "there is no configuration '\($0)'" }
                    ?? "the plans have \(names.count) configurations: \(names.joined(separator: ", "))",
                "name one of them, or call the folder TRAINER__PLANS__CONFIGURATION as nnU-Net does; they are "
                    + names.joined(separator: ", "))
            return nil
        }
        var trees: [Tree] = []
        var next: String? = name
        var seen: [String] = []
        while let current = next {
            guard let tree = all[current], !seen.contains(current) else {
                reader.add(
                    all, "configurations.\(seen.last ?? name).inherits_from",
                    seen.contains(current)
                        ? "configurations inherit in a circle" : "there is no configuration '\(current)'")
                return nil
            }
            seen.append(current)
            trees.append(tree)
            next = tree["inherits_from"]?.text
        }
        return Configuration(name: name, trees: trees)
    }

    private func numbers(_ configuration: Configuration, _ key: String) -> [Double] {
        guard let tree = configuration[key] else {
            reader.add(configuration.tree, configuration.path(key), "the field is missing")
            return []
        }
        let values = tree.list?.compactMap(\.number) ?? []
        if values.isEmpty || values.count != tree.list?.count {
            wrong(tree, configuration.path(key), "a list of numbers")
        }
        return values
    }

    /// Of three axes; the 2D configuration has two, and keeps the slices.
    private func sampling(_ configuration: Configuration) -> Pipeline.Sampling {
        let values = numbers(configuration, "spacing")
        guard let source = sourceSpacing else { return .spacing((values.count == 2 ? [nil] : []) + values) }
        if !values.isEmpty, values != Array(order.map { source[$0] }.suffix(values.count)) {
            unsupported(
                configuration["spacing"] ?? configuration.tree, configuration.path("spacing"),
                "another grid than the picture's, whose own spacing \(plans["image_reader_writer"]?.text ?? "") "
                    + "does not read,",
                "plan with a spacing of 1")
        }
        return .source
    }

    /// What the readers of pictures take for every picture's spacing, slices first; `nil` for those that read it. That
    /// of stacks stands in a file beside each, or is this too.
    private var sourceSpacing: [Double]? {
        switch plans["image_reader_writer"]?.text {
        case "NaturalImage2DIO": [999, 1, 1]
        case "Tiff3DIO": [1, 1, 1]
        default: nil
        }
    }

    private func integers(_ configuration: Configuration, _ key: String) -> [Int] {
        let values = numbers(configuration, key)
        let whole = values.compactMap { abs($0) < 1e9 && $0 == $0.rounded() ? Int($0) : nil }
        if whole.count != values.count, let tree = configuration[key] {
            wrong(tree, configuration.path(key), "a list of whole numbers")
        }
        return whole
    }

    // MARK: - Axes and grids

    /// nnU-Net's axis of each of the network's.
    private var order: [Int] {
        let order = plans["transpose_forward"]?.list?.compactMap(\.integer) ?? []
        return order.sorted() == [0, 1, 2] ? order : [0, 1, 2]
    }

    private func axes() -> Pipeline.Axes {
        let order = order
        if let tree = plans["transpose_forward"], tree.list?.compactMap(\.integer) != order {
            wrong(tree, "transpose_forward", "the axes 0, 1 and 2, each once,")
        }
        switch plans["image_reader_writer"]?.text {
        case "SimpleITKIO", "NibabelIO", "NaturalImage2DIO", "Tiff3DIO": break
        // It turns images to RAS+ and then reverses the axes as the others do.
        case "NibabelIOWithReorient":
            let letters = Array("SAR")
            return Orientation(String(order.map { letters[$0] })).map { .anatomical($0) } ?? .anatomical(.ras)
        default:
            let tree = plans["image_reader_writer"]
            unsupported(tree ?? plans, "image_reader_writer", "the reader \(tree?.found ?? "that is not named")")
        }
        // nnU-Net's arrays have the slowest axis first.
        return .stored(order.map { 2 - $0 })
    }

    private struct Resampling {
        var interpolation: Interpolation
        var separates: Bool
        var keepsGrid = false
    }

    private func resampling(_ configuration: Configuration, _ key: String) -> Resampling? {
        let field = configuration.path(key)
        guard let function = configuration[key] else {
            reader.add(configuration.tree, field, "the field is missing")
            return nil
        }
        let values = configuration[key + "_kwargs"]
        func value(_ name: String) -> Tree? { values?[name] }
        var interpolation: Interpolation?
        var separatesByDefault = false
        switch function.text {
        case "no_resampling_data_or_seg_to_shape", "no_resampling_hack":
            return Resampling(interpolation: .linear, separates: false, keepsGrid: true)
        case "resample_data_or_seg_to_shape":
            let order = value("order")?.integer ?? 3
            interpolation =
                order == 0 ? .nearest : order == 1 ? .linear : order == 3 ? Interpolation(rawValue: "cubic") : nil
            if interpolation == nil {
                unsupported(value("order") ?? function, "\(field)_kwargs.order", "a spline of order \(order)")
            }
            if let orderZ = value("order_z"), orderZ.integer != 0 {
                unsupported(orderZ, "\(field)_kwargs.order_z", "another order than 0 along the coarse axis")
            }
            // Without the field it is False, with null it depends on the spacing.
            separatesByDefault = values?.map?.contains { $0.key.text == "force_separate_z" } ?? false
        case "resample_torch_fornnunet", "resample_torch_simple":
            interpolation = .linear
            separatesByDefault = function.text == "resample_torch_fornnunet"
            if let mode = value("mode"), mode.text != "linear" {
                unsupported(mode, "\(field)_kwargs.mode", "the mode \(mode.found)")
            }
        default: unsupported(function, field, "the resampling \(function.found)")
        }
        if let force = value("force_separate_z") {
            if force.flag != false { unsupported(force, "\(field)_kwargs.force_separate_z", "force_separate_z: true") }
            separatesByDefault = false
        }
        if let threshold = value("separate_z_anisotropy_threshold"), threshold.number != 3 {
            unsupported(threshold, "\(field)_kwargs.separate_z_anisotropy_threshold", "another threshold than 3")
        }
        // What may stand there without a word changes no values.
        let known = [
            "is_seg", "order", "order_z", "mode", "force_separate_z", "separate_z_anisotropy_threshold", "num_threads",
            "device", "memefficient_seg_resampling",
        ]
        for (name, value) in values?.map ?? [] {
            let name = name.text ?? ""
            let isOdd =
                name == "is_seg"
                ? value.flag != false
                : name == "aniso_axis_mode"
                    ? value.text != "nearest-exact" : !known.contains(name)
            if isOdd { unsupported(value, "\(field)_kwargs.\(name)", "\(name) \(value.found)") }
        }
        return interpolation.map { Resampling(interpolation: $0, separates: separatesByDefault) }
    }

    private func mirror(_ axes: Int) -> [Int] {
        let trainer = parts.count == 3 ? parts[0] : ""
        if ["NoMirroring", "NoDA"].contains(where: trainer.contains) { return [] }
        return Array(0..<(trainer.contains("onlyMirror01") ? axes - 1 : axes))
    }

    // MARK: - Channels and labels

    private func channels(_ configuration: Configuration) -> [Pipeline.Channel] {
        guard let names = dataset["channel_names"] ?? dataset["modality"], let map = names.map else {
            reader.add(dataset, "channel_names", "the field is missing")
            return []
        }
        let schemes = configuration["normalization_schemes"]
        let masks = configuration["use_mask_for_norm"]
        guard let schemes, let list = schemes.list, list.count == map.count, list.count <= 64 else {
            reader.add(
                schemes ?? configuration.tree, configuration.path("normalization_schemes"),
                "one scheme for each of the \(map.count) channels was expected, 64 at most")
            return []
        }
        let isPicture = plans["image_reader_writer"]?.text == "NaturalImage2DIO"
        let found = list.indices.map { n in
            let channel = names["\(n)"]
            if channel == nil { reader.add(names, "channel_names.\(n)", "the channel is missing") }
            return channel?.text ?? "channel \(n)"
        }
        // Phases of one modality are often all named for it.
        return found.numberingRepeats().enumerated().map { n, name in
            Pipeline.Channel(
                name: name, component: isPicture && list.count > 1 ? n : nil,
                intensity: intensity(
                    list[n], configuration.path("normalization_schemes[\(n)]"), channel: n,
                    isMasked: masks?.list.flatMap { n < $0.count ? $0[n].flag : nil } ?? false))
        }
    }

    private func intensity(_ scheme: Tree, _ field: String, channel: Int, isMasked: Bool) -> [Pipeline.IntensityStep] {
        switch scheme.text {
        case "NoNormalization": return []
        case "RGBTo01Normalization": return [.scale(low: 0, high: 255, newLow: 0, newHigh: 1, clips: false)]
        case "RescaleTo01Normalization": return [.scaleToRange(newLow: 0, newHigh: 1, region: .everything)]
        case "ZScoreNormalization":
            return [.zScore(region: isMasked ? .foreground : .everything, onlyInside: isMasked)]
        case "CTNormalization":
            let key = "foreground_intensity_properties_per_channel"
            let properties = (plans[key] ?? plans["foreground_intensity_properties_by_modality"])?["\(channel)"]
            func number(_ name: String) -> Double {
                if let value = properties?[name]?.number { return value }
                reader.add(
                    properties?[name] ?? properties ?? plans, "\(key).\(channel).\(name)", "a number was expected")
                return 1
            }
            return [
                .clip(low: number("percentile_00_5"), high: number("percentile_99_5")),
                .normalize(mean: number("mean"), deviation: max(number("std"), 1e-8)),
            ]
        default:
            unsupported(scheme, field, "the normalization \(scheme.found)")
            return []
        }
    }

    private func readLabels() -> (labels: [Pipeline.Label], areRegions: Bool) {
        guard let tree = dataset["labels"], let map = tree.map else {
            reader.add(dataset, "labels", "the field is missing")
            return ([], false)
        }
        var found: [(name: Tree, values: [Int])] = []
        for (key, value) in map where key.text != "ignore" {
            let values = value.integer.map { [$0] } ?? value.list?.compactMap(\.integer) ?? []
            if values.isEmpty || values.count != value.list?.count ?? 1 {
                let isOld = key.integer != nil
                reader.add(
                    value, "labels.\(key.text ?? "")",
                    "\(value.found) was found, a label's number or a list of them was expected",
                    isOld ? "labels of nnU-Net v2 are 'name: number'; this is the form of version 1" : "")
            } else if Set(values) != [0] {
                found.append((key, values))
            }
        }
        guard found.contains(where: { $0.values.count > 1 }) else {
            let sorted = found.sorted { $0.values[0] < $1.values[0] }
            let values = sorted.map { $0.values[0] }
            if values != Array(1..<(values.count + 1)) {
                let list = values.map(String.init).joined(separator: ", ")
                reader.add(tree, "labels", "the labels \(list) do not follow each other from 1")
            }
            return (sorted.map { Pipeline.Label(value: $0.values[0], name: $0.name.text ?? "") }, false)
        }
        // Channel n of the network is the n-th region as the file lists them; it is painted as order[n] says.
        let order = dataset["regions_class_order"]?.list?.compactMap(\.integer) ?? []
        guard order.count == found.count else {
            reader.add(
                dataset["regions_class_order"] ?? dataset, "regions_class_order",
                "one label for each of the \(found.count) regions was expected")
            return ([], true)
        }
        return (zip(order, found).map { Pipeline.Label(value: $0, name: $1.name.text ?? "") }, true)
    }

    private func ending() -> String {
        let ending = dataset["file_ending"]?.text?.lowercased() ?? ""
        return Pipeline.ResultFile.Kind.image.endings.contains(ending) ? ending : ".nii.gz"
    }
}
