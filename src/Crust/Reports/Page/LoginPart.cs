using Crust.Formats;

namespace Crust.Reports.Page;

/// <summary>Who logged in to an image that was booted, and what the checks printed.</summary>
internal static class LoginPart
{
    public static Markup Render(Template html, ManifestLogin? login) => login is null ? Markup.None : html.Of($"""
        <p class="proof">{login.User} logged in by {(login.Key is { } key ? html.Of($"key <code>{key}</code>") : html.Of($"password"))}; host key of this boot: {login.HostKey.Type} <code>{login.HostKey.Fingerprint}</code></p>
        {login.Checks.Select(check => html.Of($"""
        <p class="proof"><span class="good">✓</span> <code>{check.Command}</code> <span class="quiet">after {Words.Time(check.Seconds)}</span></p>
        {Output(html, check)}
        """))}
        """);

    private static Markup Output(Template html, ManifestCheck check)
    {
        // A manifest that was read, and not just made, has only the last line.
        var lines = check.Lines.IsEmpty ? check.Output : string.Join('\n', check.Lines);
        return lines.Length == 0 ? Markup.None : html.Of($"<pre class=\"words\">{lines}</pre>\n");
    }
}
