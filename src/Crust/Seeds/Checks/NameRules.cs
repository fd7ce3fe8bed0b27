using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether names of hosts and accounts are names.</summary>
internal static partial class NameRules
{
    public static readonly SeedRule Hostname = new("hostname", SeedSeverity.Error, "A host name that no system takes: RFC 1123 allows letters, digits, '-' and dots, 63 in a part, and Linux 64 altogether", "hostname: edge_1", "use letters, digits and '-'");

    public static readonly SeedRule UserName = new("user-name", SeedSeverity.Error, "An account's name that useradd refuses: with a space, a colon, a comma or a slash, or a dash in front", "users: [{name: edge user}]", "use lower-case letters, digits, '-' and '_'");

    private const int LongestHostName = 64;

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
    [
        .. HostNamesOf(request).Where(name => !IsHostName(request, name)).Select(name => Hostname.At(name, "This can't be a host's name")),
        .. UserNamesOf(request).Where(name => BadUserName().IsMatch(name.Value)).Select(name => UserName.At(name, "This can't be an account's name")),
    ];

    private static bool IsHostName(SeedCheckRequest request, ConfigScalar name) =>
        (request.MayBeKairos && name.Value.Contains("{{", StringComparison.Ordinal)) || (name.Value.Length <= LongestHostName && HostName().IsMatch(name.Value));

    private static IEnumerable<ConfigScalar> HostNamesOf(SeedCheckRequest request)
    {
        IEnumerable<ConfigNode?> names =
        [
            Find(request.CloudConfig, "hostname"),
            Find(request.CloudConfig, "fqdn"),
            Find(request.Autoinstall, "identity", "hostname"),
            Find(request.Autoinstall, "user-data", "hostname"),
            Find(request.Autoinstall, "user-data", "fqdn"),
            Find(request.CloudConfig, "stylus", "site", "hostName"),
            .. Find(request.CloudConfig, "stages") is ConfigMap stages ? stages.Entries.SelectMany(stage => stage.Value is ConfigList steps ? steps.Items : []).Select(step => Find(step, "hostname")) : [],
        ];
        return names.OfType<ConfigScalar>().Where(name => !name.IsNull && name.Value.Length > 0);
    }

    private static IEnumerable<ConfigScalar> UserNamesOf(SeedCheckRequest request) =>
        SeedAccount.Of(request).Select(account => account.NameNode).Append(Find(request.Autoinstall, "identity", "username")).OfType<ConfigScalar>().Where(name => !name.IsNull && name.Place.Line > 0);

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A-|[\s:,/]|\A\z")]
    private static partial Regex BadUserName();
}
