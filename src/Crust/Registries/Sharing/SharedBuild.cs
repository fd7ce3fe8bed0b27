using Crust.Spec;

namespace Crust.Registries.Sharing;

/// <summary>A build, as far as the cache in a registry knows it.</summary>
/// <param name="Name">The images' base name.</param>
/// <param name="SourceSha256">The SHA-256 in hex of what the disk is made from: the installer ISO or the base image.</param>
internal sealed record SharedBuild(string Key, string Name, BuildSpec Spec, string SourceSha256);
