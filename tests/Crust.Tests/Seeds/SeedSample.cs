using Crust.Seeds;
using Crust.Spec;
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

    public static Seed Compose(SeedSpec seed, string context = "installer", Guid? instance = null, OnReboot onReboot = OnReboot.Fail, string? iso = "vendor.iso") =>
        Seed.Compose(new BuildSpec { Installer = new InstallerSpec { Iso = iso }, Seed = seed, Machine = new MachineSpec { OnReboot = onReboot } }, SeedFiles.Read(seed), context, instance ?? Instance);

    public Seed WithUserData(string userData, SeedSpec? seed = null, OnReboot onReboot = OnReboot.Fail) =>
        Compose((seed ?? new SeedSpec()) with { UserData = Write("user-data.yaml", userData) }, onReboot: onReboot);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
