import SardonyxImaging

/// Gathers what the transforms after a network do.
struct MONAIResult {
    private(set) var output = Pipeline.Output()
    private(set) var postprocessing: [Pipeline.PostprocessingStep] = []
    /// Of the image that is written.
    private(set) var ending = ".nii.gz"
    private let preparation: MONAIPreparation
    /// What the network's input, and all values that went in, are called among what the transforms work on.
    private let key: String
    private let inputs: Set<String>
    private var isActivated = false
    private var isDecided = false
    private var isInverted = false
    /// Steps that need one label alone.
    private var single: [MONAIComponent] = []

    init(after preparation: MONAIPreparation, inputs: Set<String>, key: String) {
        self.preparation = preparation
        self.inputs = inputs
        self.key = key
    }

    private static let harmless: Set<String> = [
        "EnsureTyped", "CastToTyped", "ToTensord", "ToDeviced", "ToNumpyd", "Identityd", "DeleteItemsd", "SelectItemsd",
        "SqueezeDimd", "EnsureChannelFirstd", "AddChanneld", "FromMetaTensord", "ToMetaTensord", "CopyItemsd",
    ]

    mutating func add(_ component: MONAIComponent, _ reader: TreeReader) {
        // What a MONAI evaluator calls the network's output.
        var arguments = MONAIArguments(component, reader, key: "pred")
        let isHarmless = MONAIResult.harmless.contains(component.name)
        guard arguments.isForKey(others: isHarmless ? nil : inputs), !isHarmless else { return }
        switch component.name {
        case "Activationsd":
            if arguments.flag("sigmoid") == true { output.activation = .sigmoid }
            if arguments.flag("softmax") == true { output.activation = .softmax }
            isActivated = true
        case "AsDiscreted":
            // One channel a label, as losses want it, says the same as the labels.
            arguments.ignore(["to_onehot", "num_classes", "n_classes"])
            if arguments.has("rounding") { arguments.unsupported("rounding") }
            let isArgmax = arguments.flag("argmax") ?? false
            let threshold = arguments.number("threshold")
            if isArgmax {
                output.decision = .argmax
                if threshold != nil { arguments.unsupported("threshold", "a threshold after argmax") }
            } else if let threshold {
                // MONAI takes values that equal it too.
                output.decision = .threshold(Double(Float(threshold).nextDown))
            }
            isDecided = isArgmax || threshold != nil
        case "Invertd":
            let isNearest = arguments.flag("nearest_interp") ?? true
            if case .size = preparation.sampling, isNearest {
                arguments.unsupported(
                    "nearest_interp", "PyTorch's nearest, which lies half a voxel beside the nearest one,",
                    "write false, and Invertd before AsDiscreted")
            }
            if !postprocessing.isEmpty, preparation.sampling != .source || preparation.crop != .none {
                reader.add(
                    component.tree, component.path, "Invertd after steps on labels is not supported",
                    "put it before them")
            }
            isInverted = true
            output.activatesLast = !isActivated && !isDecided
            // The way back takes what the way there took; the nearest voxel's label is the label of its values.
            output.interpolation = isNearest || isDecided ? .nearest : preparation.interpolation
            if isDecided, !isNearest { arguments.unsupported("nearest_interp", "labels between labels", "write true") }
            if let original = arguments.text("orig_keys"), original != key {
                arguments.unsupported("orig_keys", "the way back of another image (\(original))")
            }
            arguments.ignore(["transform", "orig_meta_keys", "to_tensor", "device"])
        case "KeepLargestConnectedComponentd":
            if let count = arguments.integer("num_components"), count != 1 { arguments.unsupported("num_components") }
            if arguments.flag("independent") == false { arguments.unsupported("independent") }
            arguments.ignore(["is_onehot"])
            let reach = arguments.integer("connectivity") ?? preparation.rank
            if ![1, preparation.rank].contains(reach) { arguments.unsupported("connectivity") }
            postprocessing.append(
                .largestComponent(
                    labels: arguments.integers("applied_labels") ?? [], connectivity: reach == 1 ? .faces : .full))
        case "FillHolesd":
            if arguments.integer("connectivity") != 1 {
                arguments.unsupported(
                    "connectivity", "holes that open over edges and corners (connectivity)", "write \"connectivity\": 1"
                )
            }
            postprocessing.append(.fillHoles(labels: arguments.integers("applied_labels") ?? []))
        case "RemoveSmallObjectsd":
            arguments.ignore(["independent_channels", "pixdim"])
            if let reach = arguments.integer("connectivity"), reach != 1 { arguments.unsupported("connectivity") }
            single.append(component)
            if arguments.flag("by_measure") == true {
                postprocessing.append(.minimumVolume(cubicMillimetres: arguments.number("min_size") ?? 64, labels: []))
            } else {
                arguments.unsupported("min_size", "a smallest size in voxels", "write \"by_measure\": true and mm³")
            }
        case "SaveImaged":
            let given = arguments.text("output_ext")?.lowercased() ?? ".nii.gz"
            if Pipeline.ResultFile.Kind.image.endings.contains(given) { ending = given }
            if arguments.flag("resample") == true, !isInverted {
                output.interpolation = arguments.interpolation("mode", or: .nearest) ?? .nearest
            }
            if arguments.has("scale") {
                arguments.unsupported("scale", nil, "remove it: the values of an image are written as they are")
            }
            let type = arguments.type("output_dtype")
            if !isDecided, !type.isEmpty, !["float", "double", "half"].contains(where: type.contains) {
                arguments.unsupported("output_dtype", "rounding to \(type)", "write a type with fractions")
            }
            arguments.ignoreRest()
        default:
            reader.add(
                component.tree, component.path, "the transform \(component.name) is not supported",
                "remove it if the result does not need it")
            return
        }
        arguments.close()
    }
    /// Names what MONAI does otherwise when there are several labels.
    func checkLabels(count: Int, _ reader: TreeReader) {
        for component in single where count > 1 {
            reader.add(
                component.tree, component.path,
                "\(component.name) of \(count) labels, whose parts it does not tell apart, is not supported",
                "remove it, or write minimum_volume into a pipeline.yaml")
        }
    }
}

extension Pipeline.PostprocessingStep {
    /// The same where labels are channels, which count from 0 and become labels from 1.
    var ofChannels: Self {
        let labels = labels.map { $0 + 1 }
        switch self {
        case .largestComponent(_, let connectivity):
            return .largestComponent(labels: labels, connectivity: connectivity)
        case .minimumVolume(let volume, _): return .minimumVolume(cubicMillimetres: volume, labels: labels)
        case .fillHoles: return .fillHoles(labels: labels)
        }
    }
}
