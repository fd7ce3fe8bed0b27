using System.Security.Cryptography;
using System.Text;
using Crust.Inspection;
using Crust.Installers;
using Crust.Seeds;
using Crust.Spec;

namespace Crust;

/// <summary>
/// The build key: a SHA-256 over all that decides an installed disk's content. Two builds with the same key would
/// install the same system, so the second needn't.
/// </summary>
internal static class BuildKey
{
    // Raise it when a change of Crust changes what installers find in the machine.
    private const int Recipe = 1;

    public static string Of(InstallerIso installer, Seed seed, BuildSpec spec) => Of(installer, seed.KeyMaterial, spec);

    public static string Of(InstallerIso installer, string seed, BuildSpec spec) => Of(installer.Sha256, installer.IsReference, seed, spec);

    /// <summary>The key of a build whose installer needn't be here.</summary>
    /// <param name="installerSha256">The installer's SHA-256 in hex.</param>
    /// <param name="isReference">Whether it is Crust's own.</param>
    /// <param name="seed">The seed's part: <see cref="Seed.KeyMaterial"/>.</param>
    /// <param name="spec">The spec.</param>
    public static string Of(string installerSha256, bool isReference, string seed, BuildSpec spec)
    {
        var machine = spec.Machine;
        // The accelerator and limits of time decide if an install succeeds, not what it leaves.
        var material = new StringBuilder()
            .Append($"crust build key, recipe {Recipe}\n")
            .Append($"installer {installerSha256}\n")
            .Append($"machine {machine.Arch} {machine.Firmware} cpus={machine.Cpus} memory={machine.Memory} disk={machine.Disk} onReboot={machine.OnReboot}\n")
            .Append(Unusual(machine))
            .Append($"trim={(spec.Trim ? DiskCare.TrimVersion : 0)}\n")
            .Append(DiskWork.TidyOf(spec, isReference) is { IsEmpty: false } steps ? $"tidy={DiskCare.TidyVersion} {string.Join(',', steps.Order())}\n" : "")
            .Append(spec.Installer.BootKernel is { } kernel ? $"kernel={kernel} initrd={spec.Installer.BootInitrd}\nappend={spec.Installer.BootAppend}\n" : "")
            .AppendJoin("", spec.Installer.BootKeys.Select(keys => $"keys={keys}\n"))
            .Append($"seed\n{seed}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(material.ToString())));
    }

    // Only what isn't the default: keys of disks that were installed before there was a choice stay what they are.
    private static string Unusual(MachineSpec machine) =>
        (machine.DiskBus is DiskBus.Virtio ? "" : $"bus={machine.DiskBus}\n")
        + (machine.ExtraDisks.IsEmpty ? "" : $"extraDisks={string.Join(',', machine.ExtraDisks)}\n")
        + (machine.Tpm ? "tpm\n" : "")
        + (machine.Network is MachineNetwork.Internet ? "" : $"network={machine.Network}\n")
        + (machine.NetworkAllow.IsEmpty ? "" : $"networkAllow={string.Join(',', machine.NetworkAllow)}\n");
}
