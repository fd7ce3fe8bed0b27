using System.Text.Json;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with an Ignition configuration beside what makes it none at all.</summary>
internal static class IgnitionRules
{
    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Ignition)
            yield break;

        var user = request.Files.UserData[0];
        var keys = IgnitionConfig.Read(user.Text, user.Path);
        foreach (var key in keys.Where(key => !IgnitionConfig.KnownKeys.Contains(key.Name)))
            yield return SchemaRules.UnknownKey.At(key.Place, $"Ignition has no key '{key.Name}' here, and takes no notice of it", Nearest.Suggest(key.Name, IgnitionConfig.KnownKeys));

        // Only units and what files bring can end it; what they do can't be seen.
        var canEnd = keys.Any(key => key.Name is "systemd" or "storage" && key.Value.ValueKind is JsonValueKind.Object && key.Value.EnumerateObject().Any()) || HasSource(keys);
        if (!canEnd && request.Spec.Machine.OnReboot is not OnReboot.Finish)
            yield return EndingRules.NoPoweroff.At(keys[0].Place, "Nothing in it can power the machine off: it has no units and no files",
                "add a unit that powers off when the installation is done; or set machine.onReboot to finish, if the installer reboots");
    }

    // A configuration from elsewhere may bring anything.
    private static bool HasSource(IEnumerable<IgnitionKey> keys) =>
        keys.Any(key => key.Name == "ignition" && key.Value.TryGetProperty("config", out var config) && config.ValueKind is JsonValueKind.Object && config.EnumerateObject().Any());
}
