using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether names of hosts and accounts are names.</summary>
internal static partial class NameRules
{
    public static readonly SeedRule Hostname = new("hostname", SeedSeverity.Error,
        "A host name that no system takes: RFC 1123 allows letters, digits, '-' and dots, 63 in a part, and Linux 64 altogether; or a domain name of more than 253", "hostname: edge_1",
        "use letters, digits and '-'");

    public static readonly SeedRule UserName = new("user-name", SeedSeverity.Error, "An account's name that useradd refuses: with a space, a colon, a comma or a slash, or a dash in front",
        "users: [{name: edge user}]", "use lower-case letters, digits, '-' and '_'");

    private const int LongestHostName = 64;

    // RFC 1035, section 2.3.4: 255 with the lengths before the parts.
    private const int LongestDomainName = 253;

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
    [
        .. HostNamesOf(request).Where(name => !IsHostName(request, name, LongestHostName)).Select(name => Hostname.At(name, "This can't be a host's name")),
        .. CloudInitNamesOf(request).Where(name => !IsHostName(request, name.Node, name.Longest)).Select(name => Hostname.At(name.Node, "This can't be a host's name")),
        .. UserNamesOf(request).Where(name => BadUserName().IsMatch(name.Value)).Select(name => UserName.At(name, "This can't be an account's name")),
    ];

    private static bool IsHostName(SeedCheckRequest request, ConfigScalar name, int longest) =>
        (request.MayBeKairos && name.Value.Contains("{{", StringComparison.Ordinal)) || (name.Value.TrimEnd('.').Length <= longest && HostName().IsMatch(name.Value));

    // Of a name with dots, cloud-init makes the host's of the first part (util.get_hostname_fqdn), unless it is told to take the whole (distros, _select_hostname).
    private static IEnumerable<(ConfigScalar Node, int Longest)> CloudInitNamesOf(SeedCheckRequest request)
    {
        foreach (var document in new[] { request.CloudConfig, Find(request.Autoinstall, "user-data") })
        {
            var takesWhole = IsTrue(Find(document, "prefer_fqdn_over_hostname"));
            var fqdn = Find(document, "fqdn");
            if (fqdn is ConfigScalar { IsNull: false, Value.Length: > 0 } whole)
                yield return (whole, takesWhole ? LongestHostName : LongestDomainName);
            if (Find(document, "hostname") is ConfigScalar { IsNull: false, Value.Length: > 0 } name)
                yield return (name, request.IsCloudInit && fqdn is null && !takesWhole && name.Value.Contains('.', StringComparison.Ordinal) ? LongestDomainName : LongestHostName);
        }
    }

    private static IEnumerable<ConfigScalar> HostNamesOf(SeedCheckRequest request)
    {
        IEnumerable<ConfigNode?> names =
        [
            Find(request.Autoinstall, "identity", "hostname"),
            Find(request.CloudConfig, "stylus", "site", "hostName"),
            .. Find(request.CloudConfig, "stages") is ConfigMap stages ? stages.Entries.SelectMany(stage => stage.Value is ConfigList steps ? steps.Items : []).Select(step => Find(step, "hostname"))
                : [],
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
