using Crust.Isos;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Tests.Installers;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Seeds;

/// <summary>Specs with seeds, and a folder for their files.</summary>
internal sealed class SeedSample : IDisposable
{
    public const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me@home";

    public static readonly Guid Instance = new("00112233-4455-6677-8899-aabbccddeeff");

    public static readonly SeedSpec Full = new()
    {
        Palette = new PaletteSpec { Endpoint = "api.example.org", RegistrationUrl = "https://register.example.org", EdgeHostToken = new Secret("tok3n") },
        Ssh = new SshSpec { User = "edge", Password = new Secret("hunter2"), AuthorizedKeys = [Key] },
    };

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-seed-").FullName;

    public static ToolBox Tools => new(["/usr/bin", "/bin"], Log.Logger);

    public string Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    public static BuildSpec SpecOf(SeedSpec seed, OnReboot onReboot = OnReboot.Fail, string? iso = "vendor.iso") =>
        new() { Installer = new InstallerSpec { Iso = iso }, Seed = seed, Machine = new MachineSpec { OnReboot = onReboot } };

    public static Seed Compose(SeedSpec seed, Guid? instance = null, SeedProfile? profile = null) =>
        Seed.Compose(SpecOf(seed), SeedFiles.Read(seed), profile, instance ?? Instance);

    public static SeedKey KeyOf(SeedSpec seed) => SeedKey.Of(SpecOf(seed), SeedFiles.Read(seed), null, "installer");

    /// <summary>Writes the files that carry a seed.</summary>
    public Task<SeedDelivery> DeliverAsync(Seed seed, string? folder = null) =>
        new SeedCourier(new SeedVolume(Tools), new IsoCopy(Tools, new EventList())).PrepareAsync(seed, InstallerSample.Iso, folder ?? Folder, CancellationToken.None);

    public Seed WithUserData(string userData, SeedSpec? seed = null) => Compose(SpecWithUserData(userData, seed));

    public SeedSpec SpecWithUserData(string userData, SeedSpec? seed = null) => (seed ?? new SeedSpec()) with { UserData = [Write("user-data.yaml", userData)] };

    /// <summary>The text of a seed's user-data.</summary>
    public static string UserDataOf(Seed seed) => DocumentOf(seed, "user-data");

    /// <summary>The text of one of a seed's documents.</summary>
    public static string DocumentOf(Seed seed, string name) => seed.Documents.Single(document => document.Name == name).Text;

    /// <summary>The rules that object to a seed.</summary>
    public static IEnumerable<string> RulesAgainst(BuildSpec spec) => FindingsIn(spec).Select(finding => finding.Rule);

    /// <summary>What the rules object to.</summary>
    public static IEnumerable<SeedFinding> FindingsIn(BuildSpec spec) => SeedChecks.Check(spec, SeedFiles.Read(spec.Seed), spec.Seed.Profile);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
