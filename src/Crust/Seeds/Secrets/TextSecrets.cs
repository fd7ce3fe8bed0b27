using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Secrets;

/// <summary>Secrets in text of no form that is known, or of several at once: scripts, command lines, settings, logs.</summary>
internal static partial class TextSecrets
{
    private const RegexOptions Options = RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant;

    /// <summary>All that looks like a secret, or stands under a name that says so.</summary>
    public static ImmutableArray<FoundSecret> In(string text) => FoundSecret.Joined(
    [
        .. ByForm(text),
        .. Assigned(text),
        .. Matches(Header(), text, _ => "Authorization"),
        .. Named(OptionThenValue(), text),
        .. Named(QuotedPair(), text),
        .. Named(FlowPair(), text),
        .. Named(Element(), text),
        .. Lines(text),
        .. Matches(CurlLogin(), text, _ => "a login"),
        .. Matches(WithPassword(), text, match => match.Groups["tool"].Value),
        .. Matches(Netrc(), text, _ => "a password"),
        .. Matches(Piped(), text, match => match.Groups["to"].Value).Select(AfterColon(text)),
        .. HereDocument().Matches(text).SelectMany(match => AccountLines(text, match.Groups["body"].Index, match.Groups["body"].Length)),
    ]);

    /// <summary>What shows by its form alone what it is, wherever it stands: hashes of passwords, private keys, logins in URLs, tokens of known services.</summary>
    public static IEnumerable<FoundSecret> ByForm(string text) =>
    [
        .. Matches(Hash(), text, _ => "a password's hash"),
        .. Matches(PrivateKey(), text, _ => "a private key"),
        .. UrlLogins(text),
        .. Matches(KnownToken(), text, _ => "a token"),
    ];

    /// <summary>Whether a text is nothing but the hash of a password.</summary>
    public static bool IsHash(string text) => Hash().Match(text) is { Success: true, Index: 0 } match && match.Length == text.Length;

    /// <summary>The passwords of lines `account:password`, as chpasswd(8) reads them.</summary>
    public static IEnumerable<FoundSecret> AccountLines(string text, int start, int length)
    {
        for (var at = start; at < start + length;)
        {
            var end = text.IndexOf('\n', at, start + length - at) is >= 0 and var found ? found : start + length;
            var colon = text.IndexOf(':', at, end - at);
            var value = colon < 0 ? "" : text[(colon + 1)..end].Trim();
            if (value.Length > 0 && value is not ("R" or "RANDOM") && !SecretNames.IsHarmless("password", value))
                yield return new FoundSecret(text.IndexOf(value, colon + 1, StringComparison.Ordinal), value.Length, "an account's password");
            at = end + 1;
        }
    }

    private static IEnumerable<FoundSecret> UrlLogins(string text)
    {
        foreach (Match match in UrlLogin().Matches(text))
        {
            var login = match.Groups["login"];
            var colon = login.Value.IndexOf(':');
            // A user's name alone is none; a token without one is.
            if (colon < 0 && (login.Length < 16 || !match.Value.StartsWith("http", StringComparison.OrdinalIgnoreCase)))
                continue;
            var password = colon < 0 ? login.Value : login.Value[(colon + 1)..];
            if (password.Length > 0 && password is not ("********" or "•••") && !IsVariable(password))
                yield return new FoundSecret(login.Index + colon + 1, password.Length, "a URL's login") { Forms = [login.Value, Uri.UnescapeDataString(password)] };
        }
    }

    // NAME=value, also within a command line, a query or a list; the value may be in quotes, or the whole.
    private static IEnumerable<FoundSecret> Assigned(string text)
    {
        foreach (Match match in NameEquals().Matches(text))
        {
            var name = match.Groups["name"].Value;
            if (!SecretNames.IsSecret(name) && name is not ("sig" or "X-Amz-Signature"))
                continue;
            var quote = match.Groups["quote"].Value;
            var start = match.Index + match.Length;
            var length = quote.Length > 0 && text.IndexOf(quote[0], start) is >= 0 and var closing ? closing - start : Value().Match(text, start).Length;
            if (Checked(text, name, start, length) is { } secret)
                yield return secret;
        }
    }

    // `name: value` and `name = value`, a line each, as in INI files, YAML and headers; the value is all that follows.
    private static IEnumerable<FoundSecret> Lines(string text) => Named(Line(), text);

    private static IEnumerable<FoundSecret> Named(Regex pattern, string text)
    {
        foreach (Match match in pattern.Matches(text))
        {
            if (SecretNames.IsSecret(match.Groups["name"].Value) && Checked(text, match.Groups["name"].Value, match.Groups["value"].Index, match.Groups["value"].Length) is { } secret)
                yield return secret;
        }
    }

    private static IEnumerable<FoundSecret> Matches(Regex pattern, string text, Func<Match, string> nameOf)
    {
        foreach (Match match in pattern.Matches(text))
        {
            var value = match.Groups["value"] is { Success: true } group ? group : match;
            if (Checked(text, "password", value.Index, value.Length) is { } secret)
                yield return secret with { Name = nameOf(match) };
        }
    }

    // Without what ends a line or a list's item, and the quotes around it. What a shell or a template will put there isn't it.
    private static FoundSecret? Checked(string text, string name, int start, int length)
    {
        while (length > 0 && text[start + length - 1] is ' ' or '\t' or '\r' or ',' or ';')
            length--;
        if (length >= 2 && text[start] is '"' or '\'' && text[start + length - 1] == text[start])
            (start, length) = (start + 1, length - 2);
        var value = text.Substring(start, length);
        return length == 0 || SecretNames.IsHarmless(name, value) || IsVariable(value) ? null : new FoundSecret(start, length, name);
    }

    private static bool IsVariable(string value) => VariableAlone().IsMatch(value);

    private static Func<FoundSecret, FoundSecret> AfterColon(string text) => found =>
        found.Name.EndsWith("chpasswd", StringComparison.Ordinal) && text.IndexOf(':', found.Start, found.Length) is >= 0 and var colon
        ? found with { Start = colon + 1, Length = found.End - colon - 1, Name = "an account's password" }
        : found;

    // crypt(5): $id$…; htpasswd's, LDAP's, GRUB's.
    [GeneratedRegex(@"\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5|apr1|argon2(?:id|i|d)?|scrypt|pbkdf2(-sha\d+)?)\$[A-Za-z0-9./$=,+-]{8,}|grub\.pbkdf2\.sha512\.\d+\.[0-9A-Fa-f.]{16,}|\{S?SHA\d*\}[A-Za-z0-9+/=]{16,}", Options)]
    private static partial Regex Hash();

    [GeneratedRegex(@"-----BEGIN (?:[A-Z0-9]+ )*(?:PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----.*?(?:-----END (?:[A-Z0-9]+ )*(?:PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----|\z)|^Private-Lines:.*\z", Options | RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex PrivateKey();

    // The last @ before the path ends the login (WHATWG URL), so that a password may have one.
    [GeneratedRegex(@"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://(?<login>[^\s""'<>/?#]+)@(?=[^\s""'<>@])", Options)]
    private static partial Regex UrlLogin();

    [GeneratedRegex(@"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|gl[a-z]{2,5}-[A-Za-z0-9_-]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,}|hv[sb]\.[A-Za-z0-9_-]{20,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|tskey-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,}|K10[0-9a-f]{64}::\S+|AGE-SECRET-KEY-[0-9A-Z-]{20,}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})", Options)]
    private static partial Regex KnownToken();

    [GeneratedRegex(@"authorization[""']?\s*[:=]\s*[""']?(?:(?:basic|bearer|token|digest|negotiate|apikey)\s+)?(?<value>[^\s""'\\,}]+)", Options | RegexOptions.IgnoreCase)]
    private static partial Regex Header();

    [GeneratedRegex(@"(?<![A-Za-z0-9_$.{/-])(?<quote>[""']?)-{0,2}(?<name>[A-Za-z_][A-Za-z0-9_./-]*)=", Options)]
    private static partial Regex NameEquals();

    [GeneratedRegex(@"\G(?<value>""(?:[^""\\]|\\.)*""|'[^']*'|(?:(?!,[A-Za-z0-9_.-]+=)[^\s""'&;|<>)])+)", Options)]
    private static partial Regex Value();

    [GeneratedRegex(@"(?<![A-Za-z0-9_-])--?(?<name>[A-Za-z][A-Za-z0-9_-]*)[ \t]+(?<value>""(?:[^""\\\n]|\\.)*""|'[^'\n]*'|[^\s""'|;&<>-][^\s""'|;&<>]*)", Options)]
    private static partial Regex OptionThenValue();

    [GeneratedRegex(@"[""'](?<name>[A-Za-z0-9_. -]+)[""']\s*:\s*(?<value>""(?:[^""\\]|\\.)*""|'[^']*'|[0-9]+)", Options)]
    private static partial Regex QuotedPair();

    [GeneratedRegex(@"(?<=[{,]\s*)(?<name>[A-Za-z0-9_.-]+):\s+(?<value>""(?:[^""\\]|\\.)*""|'[^']*'|[^\s,}{\[""'][^,}\n]*)", Options)]
    private static partial Regex FlowPair();

    [GeneratedRegex(@"<(?<name>[A-Za-z][A-Za-z0-9_.-]*)(\s[^<>]*)?>(?<value>[^<>]+)</\k<name>>", Options)]
    private static partial Regex Element();

    [GeneratedRegex(@"^[ \t]*(?:-[ \t]+)?[""']?(?<name>[A-Za-z_][A-Za-z0-9_.-]*)[""']?(?:[ \t]*:[ \t]+|[ \t]+=[ \t]*|=[ \t]+)(?<value>[^\s{\[|>][^\n]*)", Options | RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"\b(?:curl|wget|https?|lftp|ldap\w+)\b[^\n;|]*?\s(?:-u|--user|--proxy-user|-U|-w)[ =]?[""']?[^\s:""']+:(?<value>[^\s""']+)", Options)]
    private static partial Regex CurlLogin();

    [GeneratedRegex(@"\b(?<tool>sshpass)\s+-p[ ]?(?<value>""[^""]*""|'[^']*'|\S+)|\b(?<tool>wpa_passphrase)\s+(?:""[^""]*""|'[^']*'|\S+)\s+(?<value>""[^""]*""|'[^']*'|\S+)|\b(?<tool>nmcli)\b[^\n]*?\s(?:password|\S*\.(?:psk|password|wep-key0))\s+(?<value>""[^""]*""|'[^']*'|\S+)", Options)]
    private static partial Regex WithPassword();

    [GeneratedRegex(@"\b(?:machine\s+\S+|default)\s+(?:(?:login|account)\s+\S+\s+)*password\s+(?<value>\S+)", Options)]
    private static partial Regex Netrc();

    [GeneratedRegex(@"\b(?:echo|printf)\s+(?:-\w+\s+|[""']?%s(?:\\n)?[""']?\s+)*(?<value>""[^""]*""|'[^']*'|[^\s|""']+)\s*\|\s*(?:sudo\s+)?(?:in-target\s+|chroot\s+\S+\s+)?(?<to>[\w/.-]*(?:chpasswd|passwd|cryptsetup|smbpasswd|docker\s+login|podman\s+login|skopeo\s+login|helm\s+registry\s+login))", Options)]
    private static partial Regex Piped();

    [GeneratedRegex(@"chpasswd\b[^\n]*<<-?[ \t]*[""'\\]?(?<tag>\w+)[""']?[^\n]*\n(?<body>.*?)\n[ \t]*\k<tag>\b|<<-?[ \t]*[""'\\]?(?<tag>\w+)[""']?[ \t]*\|[ \t]*(?:sudo )?chpasswd[^\n]*\n(?<body>.*?)\n[ \t]*\k<tag>\b|chpasswd\b[^\n]*<<<[ \t]*[""']?(?<body>[^""'\n]+)", Options | RegexOptions.Singleline)]
    private static partial Regex HereDocument();

    [GeneratedRegex(@"\A[""']?(\$[A-Za-z_][A-Za-z0-9_]*|\$\{[^{}]*\}|\$\(.*|`.*|\{\{.*|\$[0-9@*])[""']?\z", Options | RegexOptions.Singleline)]
    private static partial Regex VariableAlone();
}
