extension Pipeline {
    /// Reads a pipeline: a pipeline.yaml or .json, or a folder of one of three kinds, told by what it holds.
    ///
    /// - pipeline.yaml (or pipeline.yml, pipeline.json) and the model: Docs/Pipelines.md.
    /// - plans.json and dataset.json of nnU-Net v2, with model.onnx beside them or in a fold's folder.
    /// - configs/inference.json (or .yaml, .yml) of a MONAI bundle, with model.onnx in it or in models.
    ///
    /// - Parameters:
    ///   - path: the file or folder.
    ///   - configuration: of nnU-Net's plans: "2d", "3d_fullres", "3d_lowres"; `nil` takes the one in the folder's name
    ///     (`trainer__plans__configuration`), or the only one. Other pipelines have none.
    /// - Returns: the pipeline, its `model` resolved against the folder and known to be a file inside it.
    /// - Throws: `PipelineError` with everything that is wrong or cannot be done, at once.
    public init(contentsOf path: String, configuration: String? = nil) throws {
        let kind = Files.kind(path)
        let isFolder = kind == .folder
        let folder = isFolder ? Files.trimmed(path) : Files.parent(path)
        func find(_ names: [String]) -> String? {
            names.map { Files.join(folder, $0) }.first { Files.kind($0) == .file }
        }
        guard kind != nil else {
            throw PipelineError(path: path, "there is no such file or folder", remedy: "check the path")
        }
        func refuseConfiguration() throws {
            guard let configuration else { return }
            throw PipelineError(
                path: path, "the configuration '\(configuration)' was asked for, which only nnU-Net's plans have",
                remedy: "leave it out")
        }
        let file = isFolder ? find(["pipeline.yaml", "pipeline.yml", "pipeline.json"]) : path
        if let file {
            try refuseConfiguration()
            let text = try smallText(file)
            self = try Pipeline(yaml: text, path: file)
            let problem = Files.whyNoModel(model, in: folder)
            if let problem {
                let tree = try Tree(yaml: text, path: file)
                let place = tree["model"] ?? tree
                throw PipelineError(
                    path: file,
                    problems: [
                        .init(
                            line: place.line, column: place.column, field: "model", problem: problem,
                            remedy: "put the model into the pipeline's folder")
                    ])
            }
            model = Files.join(folder, model)
        } else if let plans = find(["plans.json", "nnUNetPlans.json"]), let dataset = find(["dataset.json"]) {
            let text = try (smallText(plans), smallText(dataset))
            self = try NNUNetPlans(
                plans: Tree(yaml: text.0, path: plans), dataset: Tree(yaml: text.1, path: dataset), path: plans,
                folder: Files.name(folder), configuration: configuration
            ).pipeline()
            let folds = Files.names(in: folder).filter { $0.hasPrefix("fold_") }
            model = try Files.model(in: folder, among: [""] + folds, path: plans)
        } else if let file = find(["configs/inference.json", "configs/inference.yaml", "configs/inference.yml"]) {
            try refuseConfiguration()
            let metadata = try find(["configs/metadata.json"]).map { try Tree(yaml: smallText($0), path: $0) }
            self = try MONAIBundle(
                inference: Tree(yaml: smallText(file), path: file), metadata: metadata, path: file,
                name: Files.name(folder)
            ).pipeline()
            model = try Files.model(in: folder, among: ["", "models"], path: file)
        } else {
            throw PipelineError(
                path: path,
                "no pipeline is in this folder: neither pipeline.yaml, nor plans.json and dataset.json of nnU-Net, nor "
                    + "configs/inference.json of a MONAI bundle",
                remedy: "make a pipeline with 'sardonyx pipeline new MODEL'")
        }
    }
}
