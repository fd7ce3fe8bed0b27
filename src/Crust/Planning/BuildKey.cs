using System.Collections.Immutable;
using System.Text;
using Crust.Bases;
using Crust.Inspection;
using Crust.Layers;
using Crust.Seeds;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Planning;

/// <summary>
/// The build key: a SHA-256 over all that decides an installed disk's content. Two builds with the same key would
/// install the same system, so the second needn't. Secrets are masked in it: see <see cref="BuildKeys"/>.
/// </summary>
internal static class BuildKey
{
    // Raise it when a change of Crust changes what installers find in the machine.
    private const int Recipe = 1;

    // Raise it when a change of Crust makes another disk of the same base image.
    private const int BaseRecipe = 1;

    /// <summary>The keys of a build. Its installer needn't be here.</summary>
    /// <param name="installerSha256">The installer's SHA-256 in hex.</param>
    /// <param name="isReference">Whether it is Crust's own.</param>
    /// <param name="local">Gets this machine's secret key; null where it has none yet.</param>
    public static BuildKeys For(string installerSha256, bool isReference, SeedKey seed, BuildSpec spec, ImmutableArray<Layer> layers, Func<byte[]?> local) => BuildKeys.Of(
        Material(installerSha256, isReference, seed.Published, spec, layers, SpecSecrets.Masked),
        Material(installerSha256, isReference, seed.Secrets?.Reveal() ?? seed.Published, spec, layers, (_, items) => items),
        spec.Publish.KeySecret?.Reveal(), local);

    /// <summary>The keys of a build that starts from a base image. No machine runs for its disk, and nothing is told to anybody: of the machine, the disk's size and what kind of guest it is count.</summary>
    /// <param name="imageSha256">The SHA-256 in hex of the image's file.</param>
    public static BuildKeys ForBase(string imageSha256, BuildSpec spec, ImmutableArray<Layer> layers, Func<byte[]?> local)
    {
        var material = new StringBuilder()
            .Append($"crust build key, base, recipe {BaseRecipe}\n")
            .Append($"base {imageSha256}\n")
            .Append($"machine {spec.Machine.Arch} disk={spec.Machine.Disk}\n")
            .Append(!spec.Base.IsRoot ? "" : $"layout={spec.Base.Layout.LowerName()} {RootWriter.Version}{(spec.Base.Oci is null ? "" : " oci")}\n")
            .Append(spec.Base.SeedPartition is { } seed ? $"seedPartition={seed}\n" : "")
            .Append(Care(spec, isReference: false))
            .AppendJoin("", layers.Select(layer => layer.Material))
            .ToString();
        return BuildKeys.Of(material, material, spec.Publish.KeySecret?.Reveal(), local);
    }

    private static string Material(string installerSha256, bool isReference, string seed, BuildSpec spec, ImmutableArray<Layer> layers, Func<string, ImmutableArray<string>, ImmutableArray<string>> shown)
    {
        var machine = spec.Machine;
        // The accelerator and limits of time decide if an install succeeds, not what it leaves.
        return new StringBuilder()
            .Append($"crust build key, recipe {Recipe}\n")
            .Append($"installer {installerSha256}\n")
            .Append($"machine {machine.Arch} {machine.Firmware} cpus={machine.Cpus} memory={machine.Memory} disk={machine.Disk} onReboot={machine.OnReboot}\n")
            .Append(Unusual(machine))
            .Append(Care(spec, isReference))
            .AppendJoin("", layers.Select(layer => layer.Material))
            .Append(spec.Installer.BootKernel is { } kernel ? $"kernel={kernel} initrd={spec.Installer.BootInitrd}\nappend={Append(spec, shown)}\n" : "")
            .AppendJoin("", shown("installer.boot.keys", spec.Installer.BootKeys).Select(keys => $"keys={keys}\n"))
            .Append($"seed\n{seed}")
            .ToString();
    }

    private static string Care(BuildSpec spec, bool isReference) => $"trim={(spec.Trim ? DiskCare.TrimVersion : 0)}\n"
        + (DiskWork.TidyOf(spec, isReference) is { IsEmpty: false } steps ? $"tidy={DiskCare.TidyVersion} {string.Join(',', steps.Order())}\n" : "");

    private static string? Append(BuildSpec spec, Func<string, ImmutableArray<string>, ImmutableArray<string>> shown) =>
        spec.Installer.BootAppend is { } append ? shown("installer.boot.append", [append])[0] : null;

    // Only what isn't the default: keys of disks that were installed before there was a choice stay what they are.
    private static string Unusual(MachineSpec machine) =>
        (machine.DiskBus is DiskBus.Virtio ? "" : $"bus={machine.DiskBus}\n")
        + (machine.ExtraDisks.IsEmpty ? "" : $"extraDisks={string.Join(',', machine.ExtraDisks)}\n")
        + (machine.Tpm ? "tpm\n" : "")
        + (machine.Network is MachineNetwork.Internet ? "" : $"network={machine.Network}\n")
        + (machine.NetworkAllow.IsEmpty ? "" : $"networkAllow={string.Join(',', machine.NetworkAllow)}\n");
}
