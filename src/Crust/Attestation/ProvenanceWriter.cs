using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Reports;
using Crust.Spec;

namespace Crust.Attestation;

internal static class ProvenanceWriter
{
    /// <summary>Names the meaning of the parameters; docs/provenance.md tells it. Changes when that does.</summary>
    public const string BuildType = "urn:crust:build:1";

    /// <summary>Names Crust where nobody else answers for the host that it ran on.</summary>
    public const string BuilderId = "urn:crust:builder:1";

    /// <summary>The images that a statement on the manifest's disk can be about: those that were made of that very disk.</summary>
    public static IEnumerable<ManifestImage> SubjectsOf(Manifest manifest) =>
        manifest.Images.Where(image => image.BuildKey == manifest.BuildKey && image.DiskContent == manifest.DiskContent);

    public static Statement Write(Manifest manifest, BuildSpec spec, DateTimeOffset finished) => new()
    {
        Subject = [.. SubjectsOf(manifest).SelectMany(Subjects)],
        Predicate = new(
            new BuildDefinition
            {
                BuildType = BuildType,
                ExternalParameters = External(manifest, spec),
                InternalParameters = Internal(manifest),
                ResolvedDependencies = [Origin(manifest), .. manifest.SeedFiles.Select(SeedFile), .. manifest.Install.Layers.Select(Layer), Program()],
            },
            new RunDetails(
                new Builder(BuilderId, Versions(manifest)),
                new RunMetadata($"urn:uuid:{Guid.NewGuid()}", Time(manifest.Started), Time(finished)),
                manifest.Sbom is { } sbom ? [Resource.Of(sbom.File, sbom.Sha256) with { MediaType = "application/spdx+json" }] : [])),
    };

    private static IEnumerable<Resource> Subjects(ManifestImage image)
    {
        if (image.Sha256 is { } sum)
        {
            yield return Resource.Of(image.File, sum);
        }
        else if (image.BlockMap is { } stands)
        {
            yield return Resource.Of(image.File, stands.Sha256, Resource.BlockMapSha256);
        }

        if (image.BlockMap is { } map)
        {
            yield return Resource.Of(map.File, map.Sha256);
        }
    }

    // What decides an image and is no secret. What a seed is made of beside files is in the build key alone: an account's name, a host's, an endpoint may be nobody else's business.
    private static JsonObject External(Manifest manifest, BuildSpec spec)
    {
        var machine = manifest.Machine;
        var external = new JsonObject
        {
            [manifest.Origin.Kind] = new JsonObject { ["source"] = spec.ShownSource },
            ["machine"] = new JsonObject
            {
                ["arch"] = machine.Arch,
                ["firmware"] = machine.Firmware,
                ["cpus"] = machine.Cpus,
                ["memory"] = machine.Memory,
                ["disk"] = machine.Disk,
                ["diskBus"] = machine.DiskBus,
                ["network"] = machine.Network,
                ["tpm"] = machine.Tpm,
                ["onReboot"] = spec.Machine.OnReboot.LowerName(),
            },
            ["seed"] = new JsonObject { ["kind"] = spec.Seed.Kind.LowerName() },
            ["tidy"] = spec.Tidy is { } steps ? new JsonArray([.. steps.Select(step => JsonValue.Create(step.LowerName()))]) : "auto",
            ["trim"] = spec.Trim,
            ["formats"] = new JsonArray([.. SubjectsOf(manifest).Select(image => JsonValue.Create(image.Format))]),
        };
        if (spec.Installer.BootKernel is { } kernel)
        {
            external["installer"]!["bootKernel"] = kernel;
        }

        if (!manifest.Install.Layers.IsEmpty)
        {
            external["layers"] = new JsonArray([.. manifest.Install.Layers.Select(layer => new JsonObject { ["kind"] = layer.Kind, ["source"] = layer.Source })]);
        }

        if (!machine.ExtraDisks.IsEmpty)
        {
            external["machine"]!["extraDisks"] = new JsonArray([.. machine.ExtraDisks.Select(size => JsonValue.Create(size))]);
        }

        return external;
    }

    private static JsonObject Internal(Manifest manifest)
    {
        var parameters = Decided(manifest);
        if (manifest.DiskFrom is { } disk)
        {
            parameters["diskFrom"] = disk;
        }

        if (SubjectsOf(manifest).Where(image => image.ReusedFrom is not null).ToList() is { Count: > 0 } reused)
        {
            parameters["reusedFrom"] = new JsonObject(reused.Select(image => KeyValuePair.Create(image.File, (JsonNode?)image.ReusedFrom)));
        }

        if (SubjectsOf(manifest).Where(image => image.Library is not null).ToList() is { Count: > 0 } compressed)
        {
            parameters["libraries"] = new JsonObject(compressed.Select(image => KeyValuePair.Create(image.File, (JsonNode?)image.Library)));
        }

        return parameters;
    }

    private static JsonObject Decided(Manifest manifest) => new()
    {
        ["buildKey"] = manifest.BuildKey,
        ["diskContent"] = manifest.DiskContent,
        ["diskFromCache"] = manifest.FromCache,
        ["accelerator"] = manifest.Install.Accelerator,
        ["recipes"] = new JsonObject(SubjectsOf(manifest).Where(image => image.Recipe.Length > 0).Select(image => KeyValuePair.Create(image.File, (JsonNode?)image.Recipe))),
    };

    private static Resource Origin(Manifest manifest)
    {
        var source = ImmutableSortedDictionary<string, string>.Empty.Add("source", manifest.Origin.Source);
        return Resource.Of(manifest.Origin.Kind, manifest.Origin.Sha256) with
        {
            Annotations = manifest is { Installer: { } installer } ? source.Add("volumeId", installer.VolumeId) : source.Add("form", manifest.Base!.Form),
        };
    }

    private static Resource Layer(LayerFacts layer, int index) => Resource.Of($"layer/{index + 1}/{layer.Kind}", layer.Sha256) with
    {
        Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("source", layer.Source),
    };

    // A file with secrets has no digest, which would help to guess them; a descriptor has to have one or a URI.
    private static Resource SeedFile(ManifestSeedFile file) => $"seed/{file.Role}/{file.File}" is var name && file.Sha256 is { } sum
        ? Resource.Of(name, sum)
        : new Resource { Name = name, Uri = $"urn:crust:seed-file:{Uri.EscapeDataString(file.Role)}" };

    /// <summary>Crust itself: its version has the commit behind a plus where the build of Crust knew it.</summary>
    internal static Resource Program()
    {
        var commit = CrustVersion.Current.Split('+').ElementAtOrDefault(1);
        return new Resource
        {
            Name = "crust",
            Uri = $"pkg:generic/crust@{Uri.EscapeDataString(CrustVersion.Current)}",
            Digest = commit is { Length: 40 } && commit.All(char.IsAsciiHexDigitLower) ? ImmutableSortedDictionary<string, string>.Empty.Add("gitCommit", commit) : null,
        };
    }

    private static ImmutableSortedDictionary<string, string> Versions(Manifest manifest)
    {
        var versions = ImmutableSortedDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal).Add("crust", CrustVersion.Current);
        return manifest.Install.QemuVersion.Length > 0 ? versions.Add("qemu", manifest.Install.QemuVersion) : versions;
    }

    // RFC 3339, as in-toto's Timestamp is.
    internal static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
