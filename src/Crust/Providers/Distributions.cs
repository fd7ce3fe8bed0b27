using System.Collections.Immutable;

namespace Crust.Providers;

/// <summary>A Kubernetes distribution that provider images have.</summary>
/// <param name="Name">As tags name it.</param>
/// <param name="Recipe">The recipe of its programs; null where Crust brings none.</param>
/// <param name="Flavor">What stands behind Kubernetes' own version in the recipe's; null for nothing.</param>
internal sealed record Distribution(string Name, string? Recipe, string? Flavor)
{
    public static ImmutableArray<Distribution> All { get; } =
    [
        new("k3s", "k3s", "k3s1"),
        new("rke2", "rke2", "rke2r1"),
        new("kubeadm", "kubernetes", null),
        new("kubeadm-fips", null, null),
        new("nodeadm", null, null),
        new("canonical", null, null),
    ];

    public static Distribution? Find(string name) => All.FirstOrDefault(known => known.Name == name);

    /// <summary>A version of it: a leading `v` and what the distribution puts behind it count for the recipe alone.</summary>
    /// <param name="given">As the user wrote it: `1.33.5`, `v1.33.5` or `1.33.5+k3s2`.</param>
    /// <param name="flavor">What to put behind a version without; null for this distribution's usual.</param>
    public KubernetesVersion VersionOf(string given, string? flavor, string where)
    {
        var plain = given.StartsWith('v') ? given[1..] : given;
        var own = plain.Split('+', 2);
        return own is not [{ Length: > 0 } version, ..] || !char.IsAsciiDigit(version[0])
            ? throw new CrustException(FailureKind.BadInput, $"'{given}' is no version of Kubernetes", where, "write it as upstream does: 1.33.5")
            : new KubernetesVersion(version, own.Length > 1 || (flavor ?? Flavor) is not { } behind ? plain : $"{version}+{behind}", where);
    }
}
