using System.Buffers;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>
/// Whether an edge host can register with Palette: `stylus.site`, from the user's file or from seed.palette (Spectro Cloud's documentation, "Edge Installer
/// Configuration Reference"). The form of a token isn't documented, so only what can't be one is found.
/// </summary>
internal static partial class PaletteRules
{
    public static readonly SeedRule Endpoint = new("palette-endpoint", SeedSeverity.Error, "Palette's endpoint with a scheme, a path or a space: stylus takes a host's name, perhaps with a port",
        "paletteEndpoint: https://api.example.org/", "write the host's name alone");

    public static readonly SeedRule NoEndpoint = new("palette-no-endpoint", SeedSeverity.Warning, "No endpoint of Palette, unless the ISO brings one, or the host isn't managed from Palette",
        "stylus: {site: {projectName: Default}}", "give PALETTE_ENDPOINT or stylus.site.paletteEndpoint");

    public static readonly SeedRule Registration = new("palette-registration", SeedSeverity.Warning,
        "Both or neither of the registration's URL and the edge host's token: with the token a host registers by itself, with the URL a person does it",
        "registrationURL and edgeHostToken", "give one of EDGE_HOST_TOKEN and REGISTRATION_URL");

    public static readonly SeedRule RegistrationUrl = new("palette-registration-url", SeedSeverity.Error,
        "A registration URL that isn't one: it becomes a QR code, so that it has to begin with https:// or http://", "registrationURL: register.example.org", "write https:// before it");

    public static readonly SeedRule Token = new("palette-token", SeedSeverity.Error, "A token that can't be one: with a space, a quote or a bracket in it, or the placeholder of an example",
        "edgeHostToken: <your-token>", "copy the token from Palette: Tenant Settings, Registration Tokens");

    private static readonly SearchValues<char> Brackets = SearchValues.Create("<>{}[]()$");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        var site = Find(request.CloudConfig, "stylus", "site");
        if (request.CloudConfig is not { } document || (site is null && request.Profile is not SeedProfile.Stylus))
            yield break;

        var (endpoint, url, token) = (Given(site, "paletteEndpoint"), Given(site, "registrationURL"), Given(site, "edgeHostToken"));
        var whole = (site ?? Find(document, "stylus"))?.Place ?? request.Whole;
        if (endpoint is not null && CheckEndpoint(endpoint) is { } wrong)
            yield return wrong;
        if (url is not null && !UrlPattern().IsMatch(url.Value))
            yield return RegistrationUrl.At(url, "The registration's URL isn't one", "write a whole URL: https://…");
        if (token is not null && CheckToken(token.Value) is { } why)
            yield return Token.At(token, $"The edge host's token {why}");

        if (IsLocal(document))
            yield break;
        if (endpoint is null)
            yield return NoEndpoint.At(whole, "There is no endpoint of Palette");
        if (url is not null && token is not null)
            yield return Registration.At(url, "There are both a registration URL and a token: with the token the host registers by itself, and the URL's QR code isn't needed",
                "leave out one of the two, or add palette-registration to seed.ignore if both are meant");
        if (url is null && token is null)
            yield return Registration.At(whole, "There is neither a registration URL nor a token: the host can't register by itself");
    }

    private static SeedFinding? CheckEndpoint(ConfigScalar endpoint)
    {
        var match = EndpointPattern().Match(endpoint.Value.Trim());
        if (match.Success && match.Groups["scheme"].Length + match.Groups["rest"].Length == 0 && endpoint.Value.Trim() == endpoint.Value)
            return null;

        // Somebody may have written a login into it.
        var remedy = match.Success && !endpoint.IsSecret && !endpoint.Value.Contains('@') ? $"write {match.Groups["host"].Value}" : "write the host's name alone, such as api.spectrocloud.com";
        var what = match.Groups["scheme"].Length > 0 ? "has a scheme (https://)" : match.Groups["rest"].Length > 0 ? "has a path" : "isn't a host's name";
        return Endpoint.At(endpoint, $"Palette's endpoint {what}", remedy);
    }

    private static string? CheckToken(string token) => token switch
    {
        _ when token.Any(char.IsWhiteSpace) => "has a space or a line break in it",
        _ when token.AsSpan().ContainsAny('"', '\'', '`') => "has a quote in it",
        _ when token.AsSpan().ContainsAny(Brackets) => "has a bracket or a dollar in it: it looks like a placeholder",
        _ when PlaceholderPattern().IsMatch(token) => "is the placeholder of an example",
        _ => null,
    };

    // A host that is managed locally, or without a network, doesn't register.
    private static bool IsLocal(ConfigNode document) =>
        Find(document, "stylus", "managementMode") is ConfigScalar { Value: "local" } || Find(document, "stylus", "installationMode") is ConfigScalar { Value: "airgap" };

    private static ConfigScalar? Given(ConfigNode? site, string key) => Find(site, key) is ConfigScalar { IsNull: false, Value.Length: > 0 } value ? value : null;

    [GeneratedRegex(@"\A(?<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?(?<host>([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?)(?<rest>[/?#].*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex EndpointPattern();

    [GeneratedRegex(@"\Ahttps?://[^/\s]+", RegexOptions.IgnoreCase)]
    private static partial Regex UrlPattern();

    // A token is random: nothing here may stand in one by chance.
    [GeneratedRegex(@"xxxxxx|\*\*\*|\.\.\.|…|\A(your|my|the|insert|replace|enter|change|some)([-_]|.*token)|\A(changeme|todo|tbd|token|edge[-_]?host[-_]?token|placeholder|example|dummy)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex PlaceholderPattern();
}
