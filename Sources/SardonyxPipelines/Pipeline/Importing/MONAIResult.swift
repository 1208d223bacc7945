import SardonyxImaging

/// Gathers what the transforms after a network do.
struct MONAIResult {
    /// Into the network's grid; the way back takes the same.
    let interpolation: Interpolation
    private(set) var output = Pipeline.Output()
    private(set) var postprocessing: [Pipeline.PostprocessingStep] = []
    /// Of the image that is written.
    private(set) var ending = ".nii.gz"
    private var isActivated = false
    private var isDecided = false

    private static let harmless: Set<String> = [
        "EnsureTyped", "CastToTyped", "ToTensord", "ToDeviced", "ToNumpyd", "Identityd", "DeleteItemsd", "SelectItemsd",
        "SqueezeDimd", "EnsureChannelFirstd", "AddChanneld", "FromMetaTensord", "ToMetaTensord", "CopyItemsd",
    ]

    init(interpolation: Interpolation) { self.interpolation = interpolation }

    mutating func add(_ component: MONAIComponent, _ reader: TreeReader) {
        var arguments = MONAIArguments(component, reader)
        if MONAIResult.harmless.contains(component.name) { return }
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
            output.activatesLast = !isActivated && !isDecided
            // The nearest voxel's label is the label of the nearest voxel's values.
            output.interpolation = isNearest || isDecided ? .nearest : interpolation
            if isDecided, !isNearest { arguments.unsupported("nearest_interp", "labels between labels", "write true") }
            arguments.ignore(["transform", "orig_keys", "orig_meta_keys", "to_tensor", "device"])
        case "KeepLargestConnectedComponentd":
            if let count = arguments.integer("num_components"), count != 1 { arguments.unsupported("num_components") }
            if arguments.flag("independent") == false { arguments.unsupported("independent") }
            arguments.ignore(["is_onehot", "connectivity"])
            postprocessing.append(.largestComponent(labels: arguments.integers("applied_labels") ?? []))
        case "FillHolesd":
            arguments.ignore(["connectivity"])
            postprocessing.append(.fillHoles(labels: arguments.integers("applied_labels") ?? []))
        case "RemoveSmallObjectsd":
            arguments.ignore(["connectivity", "independent_channels", "pixdim"])
            if arguments.flag("by_measure") == true {
                postprocessing.append(.minimumVolume(cubicMillimetres: arguments.number("min_size") ?? 64, labels: []))
            } else {
                arguments.unsupported("min_size", "a smallest size in voxels", "write \"by_measure\": true and mm³")
            }
        case "SaveImaged":
            let given = arguments.text("output_ext")?.lowercased() ?? ".nii.gz"
            if Pipeline.ResultFile.Kind.image.endings.contains(given) { ending = given }
            arguments.ignoreRest()
        default:
            reader.add(
                component.tree, component.path, "the transform \(component.name) is not supported",
                "remove it if the result does not need it")
            return
        }
        arguments.close()
    }
}
