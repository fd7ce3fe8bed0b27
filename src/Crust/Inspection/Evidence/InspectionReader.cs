using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Crust.Disks;
using Crust.Inspection.Rules;

namespace Crust.Inspection.Evidence;

/// <summary>Makes facts of evidence, and has them judged.</summary>
internal static partial class InspectionReader
{
    // The machine code at a disk's start ends where Windows' disk signature begins.
    private const int BootCode = 440;

    private static readonly ImmutableDictionary<string, string> Hashes = new Dictionary<string, string>
    {
        ["$1"] = "md5",
        ["$2a"] = "bcrypt",
        ["$2b"] = "bcrypt",
        ["$2y"] = "bcrypt",
        ["$5"] = "sha256",
        ["$6"] = "sha512",
        ["$7"] = "scrypt",
        ["$y"] = "yescrypt",
        ["$gy"] = "gost-yescrypt",
    }.ToImmutableDictionary();

    /// <param name="today">The day by which passwords are judged.</param>
    public static DiskInspection Read(DiskEvidence evidence, DateOnly today)
    {
        var volumes = VolumeEvidence.All(evidence);
        var systems = SystemEvidence.All(evidence, volumes);
        var disk = volumes.FirstOrDefault(volume => volume.IsDisk);
        var inspection = new DiskInspection
        {
            Size = disk?.Size ?? 0,
            Table = disk?.Table switch { "gpt" => "gpt", "dos" => "mbr", null => "none", var other => PlainText.Clean(other) },
            Boot = Boot(evidence, volumes),
            Volumes = [.. volumes.Where(volume => !volume.IsContainer && (!volume.IsDisk || volume.FileSystem is not null)).Select(volume => volume.Facts(volumes))],
            Systems = [.. systems.Select(system => SystemOf(system, volumes))],
            Findings = [],
            KnowsPackages = true,
        };
        return inspection with { Findings = DiskRules.Judge(new JudgedDisk(inspection, volumes, systems, today)) };
    }

    private static BootFacts Boot(DiskEvidence evidence, ImmutableArray<VolumeEvidence> volumes)
    {
        var sector = evidence.Bytes("sector", "0").Span;
        var code = sector.Length < BootCode ? [] : sector[..BootCode];
        ImmutableArray<string> programs = [.. volumes.Where(volume => volume.IsForFirmware).SelectMany(volume => volume.Files)
            .Where(file => file.EndsWith(".efi", StringComparison.OrdinalIgnoreCase)).Select(PlainText.Clean).Order(StringComparer.Ordinal)];
        return new BootFacts
        {
            Bios = !code.ContainsAnyExcept((byte)0) ? null : code.IndexOf("GRUB"u8) >= 0 ? "GRUB" : "unknown",
            BiosPartition = volumes.Select(volume => volume.HoldsCore).FirstOrDefault(holds => holds is not null),
            Uefi = programs,
            Kernels = [.. volumes.SelectMany(volume => volume.Files.Where(IsKernel).Select(file => $"{volume.NameAmong(volumes)}, {PlainText.Clean(file)}"))],
            UefiFallback = programs.Any(program => Fallback().IsMatch(program)),
            RaspberryPi = volumes.Select(volume => volume.Board).OfType<PiBootEvidence>().ToList() is { Count: > 0 } boards
                ? [.. PiModel.All.Where(model => boards.Any(board => board.Starts(model))).Select(model => model.Name)] : null,
        };
    }

    private static SystemFacts SystemOf(SystemEvidence system, ImmutableArray<VolumeEvidence> volumes) => new()
    {
        Volume = system.Volume,
        Folder = system.Folder,
        Name = system.Release("PRETTY_NAME") is { Length: > 0 } name ? name : "a system without a name",
        Id = system.Release("ID"),
        Version = system.Release("VERSION_ID"),
        HostName = system.HostName,
        MachineId = system.MachineId switch { null => "absent", "" => "empty", "uninitialized" => "uninitialized", _ => "set" },
        Kernels = [.. system.Files.Where(IsKernel).Concat(system.Modules.Where(_ => !system.Files.Any(IsKernel)))],
        Accounts = [.. system.Accounts.Select(account => Account(account, system.Keys.GetValueOrDefault(account.Name))).Where(CanLogIn)],
        FirstBootAccounts = [.. system.LeftoverSeed.SelectMany(keys => LeftoverSeed.Accounts(keys)).DistinctBy(account => account.Name)],
        SshHostKeys = [.. system.HostKeys.Select(Fingerprint).OfType<string>()],
        Seed = [.. system.Files.Where(SystemFiles.IsSeed)],
        RandomSeed = [.. system.Files.Where(SystemFiles.IsRandomSeed)],
        Swap =
        [
            .. volumes.Where(volume => volume.FileSystem == "swap").Select(volume => volume.NameAmong(volumes)),
            .. system.Mounts.Where(mount => mount.Type == "swap" && mount.What.StartsWith('/') && !mount.What.StartsWith("/dev/", StringComparison.Ordinal)).Select(mount => mount.What),
        ],
        PackageCount = system.Packages?.Length,
        Packages = system.Packages,
    };

    /// <summary>Whether a file's name is that of a kernel.</summary>
    internal static bool IsKernel(string path) => KernelName().IsMatch(Path.GetFileName(path)) && !path.EndsWith(".hmac", StringComparison.Ordinal);

    private static AccountFacts Account(AccountEvidence account, int keys) =>
        new(account.Name, Hashes.GetValueOrDefault(account.Password, account.Password.StartsWith('$') ? "other" : account.Password), keys)
        {
            Shell = account.Shell,
            // 0 stands for a password that has to be changed at the next login (shadow(5)); 99999 days for ever.
            PasswordEnds = account is { Changed: { } changed, Longest: { } longest and < 99999 } ? Day(changed + longest) : account.Changed == 0 ? Day(0) : null,
            AccountEnds = account.End is { } end ? Day(end) : null,
        };

    private static bool CanLogIn(AccountFacts account) => (account.HasPassword || account.Keys > 0)
        && account.Shell.Split('/')[^1] is not ("nologin" or "false" or "sync" or "halt" or "shutdown");

    private static DateOnly Day(int since1970) => DateOnly.FromDayNumber(Math.Clamp(719162 + since1970, 0, DateOnly.MaxValue.DayNumber));

    // "ssh-ed25519 AAAA… comment": RFC 4253, section 6.6. The fingerprint is that of ssh-keygen(1).
    private static string? Fingerprint(string key)
    {
        var fields = key.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 2)
        {
            return null;
        }

        var blob = new byte[fields[1].Length];
        return Convert.TryFromBase64String(fields[1], blob, out var length)
            ? $"{TypeOf(fields[0])} SHA256:{Convert.ToBase64String(SHA256.HashData(blob.AsSpan(0, length))).TrimEnd('=')}"
            : null;
    }

    private static string TypeOf(string algorithm) => algorithm switch
    {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        _ when algorithm.StartsWith("ecdsa-", StringComparison.Ordinal) => "ECDSA",
        _ => PlainText.Clean(algorithm),
    };

    // UEFI 2.10, section 3.5.1.1: what firmware looks for on a medium that it has no entry for.
    [GeneratedRegex("^EFI/BOOT/BOOT(X64|AA64|IA32|RISCV64)[.]EFI$", RegexOptions.IgnoreCase)]
    private static partial Regex Fallback();

    [GeneratedRegex("^(vmlinu[xz]|kernel|Image|bzImage|linux)([.-].*)?$")]
    private static partial Regex KernelName();
}
