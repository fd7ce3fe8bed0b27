using Crust.Seeds.Documents;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>What Ubuntu's installer needs beyond what its schema says (Ubuntu's "Autoinstall configuration reference manual").</summary>
internal static class AutoinstallRules
{
    public static readonly SeedRule NoAutoinstall = new("no-autoinstall", SeedSeverity.Error, "`seed.kind` is autoinstall, and there is no `autoinstall`: the installer asks its questions",
        "#cloud-config without autoinstall", "write autoinstall: with version: 1 below it");

    public static readonly SeedRule NoIdentity = new("autoinstall-identity", SeedSeverity.Warning, "Neither `identity` nor `user-data`: Ubuntu Server's installer fails", "autoinstall: {version: 1}",
        "add identity (hostname, username, password), or user-data with users");

    public static readonly SeedRule Kernel = new("autoinstall-kernel", SeedSeverity.Error, "Both `package` and `flavor` of a kernel, or neither", "kernel: {package: a, flavor: b}",
        "keep one of the two");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Autoinstall is not { } autoinstall)
            yield break;

        if (Find(autoinstall, "identity") is null && Find(autoinstall, "user-data") is null && !IsTrue(Find(autoinstall, "storage", "layout", "reset-partition-only")))
            yield return NoIdentity.At(autoinstall, "autoinstall has neither 'identity' nor 'user-data': Ubuntu Server's installer fails");
        if (Find(autoinstall, "kernel") is ConfigMap kernel && Find(kernel, "package") is null == Find(kernel, "flavor") is null)
            yield return Kernel.At(kernel, $"autoinstall.kernel has {(Find(kernel, "package") is null ? "neither" : "both")} of 'package' and 'flavor'", "write one of the two");
    }
}
