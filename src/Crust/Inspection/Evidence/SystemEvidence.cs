using System.Collections.Immutable;
using System.Globalization;
using Crust.Disks;
using Crust.Inspection.Packages;

namespace Crust.Inspection.Evidence;

/// <summary>An account as /etc/passwd and /etc/shadow have it, without its password.</summary>
/// <param name="Password">The password's kind, as the job tells it: `none`, `locked`, `empty`, `des`, or the hash's beginning: `$6`.</param>
/// <param name="Changed">The day of the password's last change, since 1970; null if none is set.</param>
/// <param name="Longest">Days after which it ends; null if it doesn't.</param>
/// <param name="End">The day of the account's end, since 1970; null if there is none.</param>
internal sealed record AccountEvidence(string Name, string Password, string Shell, int? Changed, int? Longest, int? End);

internal sealed class SystemEvidence
{
    private readonly DiskEvidence _evidence;
    private readonly string _at;
    private readonly ImmutableDictionary<string, string> _release;

    private SystemEvidence(DiskEvidence evidence, string at, VolumeEvidence? volume, ImmutableArray<VolumeEvidence> volumes)
    {
        (_evidence, _at) = (evidence, at);
        Volume = volume?.NameAmong(volumes) ?? "disk";
        IsInImage = volume?.NameAmong(volumes).Contains(", ", StringComparison.Ordinal) is true;
        _release = PlainText.Lines(Text("os-release")).Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0].Trim()).ToImmutableDictionary(pairs => pairs.Key, pairs => PlainText.Clean(pairs.Last()[1].Trim().Trim('"', '\'')));
        Files = [.. evidence.Texts("files", at).SelectMany(PlainText.Parts).Select(PlainText.Clean)];
        Accounts = [.. Lines("accounts").Select(Account).OfType<AccountEvidence>()];
        Packages = PackageDatabases.Read(evidence, at);
        Keys = Lines("keys").Select(line => line.Split(':')).Where(parts => parts.Length == 2)
            .GroupBy(parts => PlainText.Clean(parts[0])).ToImmutableDictionary(one => one.Key, one => one.Sum(parts => Number(parts[1]) ?? 0));
        Mounts = [.. Lines("fstab").Where(line => !line.TrimStart().StartsWith('#')).Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length >= 3).Select(fields => (PlainText.Clean(fields[0]), PlainText.Clean(fields[1]), PlainText.Clean(fields[2])))];
    }

    /// <summary>What the volume that it is on is called.</summary>
    public string Volume { get; }

    /// <summary>Whether it is on an image of a file system, which isn't written to where it runs.</summary>
    public bool IsInImage { get; }

    /// <summary>The folder that is its root.</summary>
    public string Folder => "/" + PlainText.Clean(Text("system").Trim('/'));

    /// <summary>A value of os-release; empty if there is none.</summary>
    public string Release(string key) => _release.GetValueOrDefault(key, "");

    /// <summary>What is in /etc/machine-id; null if there is no such file.</summary>
    public string? MachineId => _evidence.Text("machine-id", _at)?.Trim();

    /// <summary>What is in /etc/hostname.</summary>
    public string HostName => PlainText.Clean(PlainText.Lines(Text("hostname")).Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0 && !line.StartsWith('#')) ?? "");

    public ImmutableArray<string> Files { get; }

    public ImmutableArray<AccountEvidence> Accounts { get; }

    /// <summary>How many public keys may log in, by account.</summary>
    public ImmutableDictionary<string, int> Keys { get; }

    /// <summary>/etc/fstab: what, where, type.</summary>
    public ImmutableArray<(string What, string Where, string Type)> Mounts { get; }

    /// <summary>The folders of kernel modules.</summary>
    public ImmutableArray<string> Modules => [.. PlainText.Parts(Text("modules")).Select(PlainText.Clean)];

    /// <summary>The public halves of the SSH server's host keys.</summary>
    public ImmutableArray<string> HostKeys => [.. Lines("host-keys")];

    /// <summary>Files with shells' histories.</summary>
    public ImmutableArray<string> Histories => [.. Lines("histories").Select(PlainText.Clean)];

    /// <summary>Network configuration that names a MAC address.</summary>
    public ImmutableArray<string> MacFiles => [.. Lines("macs").Select(PlainText.Clean)];

    /// <summary>Whether it has a name as an iSCSI initiator.</summary>
    public bool HasInitiatorName => Text("initiator").Trim().Length > 0;

    /// <summary>Its packages; null if it has no database of them that was read.</summary>
    public ImmutableArray<PackageFacts>? Packages { get; }

    /// <summary>The keys of its seeds, without their values.</summary>
    public IEnumerable<string> LeftoverSeed => _evidence.Texts("seed", _at);

    public static ImmutableArray<SystemEvidence> All(DiskEvidence evidence, ImmutableArray<VolumeEvidence> volumes) =>
        [.. evidence.Places("system").Select(at => new SystemEvidence(evidence, at, volumes.FirstOrDefault(volume => volume.Number == at.Split('.')[0]), volumes))];

    private string Text(string kind) => _evidence.Text(kind, _at) ?? "";

    private IEnumerable<string> Lines(string kind) => PlainText.Lines(Text(kind));

    // name:kind:uid:home:shell:changed:longest:end
    private static AccountEvidence? Account(string line) => line.Split(':') is { Length: 8 } fields
        ? new AccountEvidence(PlainText.Clean(fields[0]), fields[1], PlainText.Clean(fields[4]), Number(fields[5]), Number(fields[6]), Number(fields[7]))
        : null;

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
