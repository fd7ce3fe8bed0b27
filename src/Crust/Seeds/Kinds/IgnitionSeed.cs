using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>
/// Ignition's configuration for Fedora CoreOS and for Flatcar, each of which looks for it under a name of its own in QEMU's fw_cfg device (Ignition's
/// "Supported platforms"; Flatcar's "Running Flatcar on QEMU"). The user's JSON goes as it is.
/// </summary>
internal sealed class IgnitionSeed : ISeedKind
{
    private static readonly string[] Names = ["opt/com.coreos/config", "opt/org.flatcar-linux/config"];

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Ignition;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path)
    {
        IgnitionConfig.Read(text, path);
        return null;
    }

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request) => new()
    {
        Carrier = SeedCarrier.Firmware,
        Documents = [.. Names.Select(name => new SeedDocument(name, request.Files.UserData[0].Text) { Secrets = request.Files.UserData[0].Secrets })],
    };
}
