// Tests that build models need one import.
@_exported import SardonyxTestModels
