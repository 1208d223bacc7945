// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "sardonyx",
    products: [
        .library(name: "Sardonyx", targets: ["Sardonyx"]),
        .library(name: "SardonyxImaging", targets: ["SardonyxImaging"]),
        .library(name: "SardonyxPipelines", targets: ["SardonyxPipelines"]),
        .executable(name: "sardonyx", targets: ["SardonyxCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "COnnxReader",
            cxxSettings: [.define("ONNX_NAMESPACE", to: "onnx"), .define("ONNX_ML", to: "1")],
            linkerSettings: [.linkedLibrary("onnx_proto"), .linkedLibrary("protobuf")]),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
        .target(
            name: "CCodecs", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("dl"), .linkedLibrary("pthread")]),
        .target(name: "CRegularExpressions", linkerSettings: [.linkedLibrary("re2")]),
        .target(
            name: "CImageFormats",
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("isal"), .linkedLibrary("deflate")]),
        .target(name: "CDigest", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "SardonyxGraph"),
        .target(name: "SardonyxLoading", dependencies: ["SardonyxGraph", "COnnxReader"]),
        .target(
            name: "SardonyxOperators", dependencies: ["SardonyxGraph", "CKernels", "CCodecs", "CRegularExpressions"]),
        .target(name: "SardonyxCompiler", dependencies: ["SardonyxGraph", "SardonyxOperators"]),
        .target(name: "SardonyxExecution", dependencies: ["SardonyxCompiler", "CKernels"]),
        .target(
            name: "Sardonyx",
            dependencies: [
                "SardonyxGraph", "SardonyxLoading", "SardonyxOperators", "SardonyxCompiler", "SardonyxExecution",
            ]),
        .target(name: "SardonyxImaging", dependencies: ["CImageFormats", "CCodecs"]),
        .target(
            name: "SardonyxPipelines",
            dependencies: [
                "Sardonyx", "SardonyxExecution", "SardonyxGraph", "SardonyxImaging", "CKernels", "CDigest",
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "SardonyxCLI",
            dependencies: [
                "Sardonyx", "SardonyxImaging", "SardonyxPipelines",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .target(name: "SardonyxTestModels", path: "Tests/SardonyxTestModels"),
        .target(
            name: "SardonyxTestSupport", dependencies: ["SardonyxTestModels"], path: "Tests/SardonyxTestSupport"),
        .target(
            name: "CKernelTable", dependencies: ["CKernels"], path: "Tests/CKernelTable", exclude: ["Main"],
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
        .executableTarget(
            name: "SardonyxFuzz", dependencies: ["Sardonyx", "SardonyxTestModels"], path: "Tests/SardonyxFuzz"),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .executableTarget(
            name: "SardonyxZoo",
            dependencies: [
                "Sardonyx", "SardonyxExecution", "SardonyxGraph", "SardonyxOperators", "SardonyxTestModels",
                "CAllocationCount",
            ], path: "Tests/SardonyxZoo"),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels", "CKernelTable"]),
        .testTarget(name: "SardonyxGraphTests", dependencies: ["SardonyxGraph"]),
        .testTarget(name: "SardonyxLoadingTests", dependencies: ["SardonyxLoading", "SardonyxTestSupport"]),
        .testTarget(name: "SardonyxCompilerTests", dependencies: ["SardonyxCompiler", "CKernels"]),
        .testTarget(
            name: "SardonyxOperatorsTests",
            dependencies: ["SardonyxOperators", "CCodecs", "CRegularExpressions", "SardonyxTestSupport"]),
        .testTarget(
            name: "SardonyxImagingTests", dependencies: ["SardonyxImaging", "SardonyxTestSupport"]),
        .testTarget(
            name: "SardonyxPipelinesTests",
            dependencies: ["SardonyxPipelines", "SardonyxImaging", "SardonyxTestSupport"]),
        .testTarget(name: "SardonyxTests", dependencies: ["Sardonyx", "SardonyxTestSupport"]),
        .testTarget(name: "SardonyxCLITests", dependencies: ["SardonyxCLI", "SardonyxTestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)
