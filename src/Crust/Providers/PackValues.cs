using System.Collections.Immutable;
using System.Text;
using Crust.Registries;
using Crust.Spec;

namespace Crust.Providers;

/// <summary>
/// The values of Palette's pack `edge-native-byoi` that lead to provider images, as CanvOS prints them (earthly.sh). They are made of what was pushed: without a
/// custom tag the template ends
/// without a dash, and a `+` stands as `_`.
/// </summary>
internal sealed record PackValues(string Registry, string Repo, string Distribution, string PeVersion, string? CustomTag, string? OsName, string? OsVersion)
{
    private const string Place = ".spectro.pack.edge-native-byoi.options.system";

    /// <summary>The macro that Palette replaces by the cluster's Kubernetes version.</summary>
    public const string VersionMacro = ".spectro.system.kubernetes.version";

    /// <param name="targets">What was pushed: at least one.</param>
    public static PackValues Of(ProviderSpec spec, ImmutableArray<ProviderTarget> targets)
    {
        var repository = targets[0].Index.Repository;
        var slash = repository.LastIndexOf('/');
        return new PackValues(repository[..slash], repository[(slash + 1)..], spec.Kubernetes.Distribution, PublishTarget.AsTag(spec.PeVersion),
            spec.CustomTag is { Length: > 0 } tag ? PublishTarget.AsTag(tag) : null, spec.OsName, spec.OsVersion);
    }

    /// <summary>`system.uri`, as the pack has it.</summary>
    public string Uri => $"{Macro("registry")}/{Macro("repo")}:{Macro("k8sDistribution")}-{{{{ {VersionMacro} }}}}-{Macro("peVersion")}{(CustomTag is null ? "" : $"-{Macro("customTag")}")}";

    /// <summary>The keys below `options`, in their order.</summary>
    public IEnumerable<(string Key, string Value)> Options =>
        from option in new (string Key, string? Value)[]
        {
            ("system.uri", Uri), ("system.registry", Registry), ("system.repo", Repo), ("system.k8sDistribution", Distribution), ("system.osName", OsName),
                ("system.peVersion", PeVersion),
            ("system.customTag", CustomTag), ("system.osVersion", OsVersion),
        }
        where option.Value is not null
        select (option.Key, option.Value!);

    /// <summary>The reference that the template gives for a Kubernetes version.</summary>
    public RegistryReference For(KubernetesVersion version)
    {
        var expanded = Options.Where(option => option.Key != "system.uri").Aggregate(Uri, (uri, option) =>
            uri.Replace(Macro(option.Key["system.".Length..]), option.Value, StringComparison.Ordinal))
            .Replace($"{{{{ {VersionMacro} }}}}", version.Version, StringComparison.Ordinal);
        var colon = expanded.LastIndexOf(':');
        return new RegistryReference(expanded[..colon], expanded[(colon + 1)..]);
    }

    /// <summary>The block to paste into the pack's values.</summary>
    public string ToYaml()
    {
        var yaml = new StringBuilder($$$"""
            pack:
              content:
                images:
                  - image: '{{{{{Place}}}.uri}}'
              # Default values; uncomment what is to be another:
              #drain:
                #cordon: true
                #timeout: 60
                #gracePeriod: 60
                #ignoreDaemonSets: true
                #deleteLocalData: true
                #force: true
                #disableEviction: false
                #skipWaitForDeleteTimeout: 60
            options:

            """);
        foreach (var (key, value) in Options)
        {
            yaml.Append($"  {key}: '{value.Replace("'", "''", StringComparison.Ordinal)}'\n");
        }

        return yaml.ToString();
    }

    private static string Macro(string name) => $"{{{{ {Place}.{name} }}}}";
}
