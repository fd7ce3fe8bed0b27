using System.Security.Cryptography;
using System.Text;
using Crust.Reports.Page;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Fleet;

/// <summary>The fleet as one HTML page that needs nothing else: a table to print, a row for each file, for whoever puts machines into racks.</summary>
internal static class FleetPage
{
    private const string Style = """
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
        body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
        h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 }
        table { border-collapse: collapse; font-size: .87rem; margin-top: 1.5rem; width: 100% }
        caption { padding-bottom: .5rem; text-align: left }
        th, td { border-bottom: 1px solid #8886; padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top }
        td.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
        code { font: .8rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
        @media print { body { margin: 0; max-width: none } thead { display: table-header-group } tr { break-inside: avoid } }

        """;

    // Nothing is loaded from anywhere. CSP Level 3, section 2.3.1: the digest of what stands between the tags.
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; base-uri 'none'; form-action 'none'";

    public static string Render(FleetResult result)
    {
        var html = new Template(new Redactor());
        var nodes = result.Entries.Length;
        return html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{new Markup(Policy)}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="Crust {CrustVersion.Current}">
            <title>Fleet of {nodes} nodes</title>
            <link rel="icon" href="data:,">
            <style>{new Markup(Style)}</style>
            </head>
            <body>
            <main>
            <h1>Fleet of {nodes} {(nodes == 1 ? "node" : "nodes")}</h1>
            {Base(html, result)}
            <table>
            <caption>To check the files: <code>sha256sum -c --ignore-missing SHA256SUMS</code></caption>
            <thead><tr><th scope="col">Node</th><th scope="col">Role</th><th scope="col">MAC, serial number</th><th scope="col">Address</th><th scope="col">File</th><th scope="col">Size</th><th scope="col">SHA-256</th><th scope="col">Label</th></tr></thead>
            <tbody>
            {result.Entries.SelectMany(entry => entry.Files.Select((file, i) => Row(html, entry.Node, file, isFirst: i == 0)))}
            </tbody>
            </table>
            </main>
            <footer><p>Made by Crust {CrustVersion.Current}. The files hold what only their node may know; this page doesn’t.</p></footer>
            </body>
            </html>

            """).Text;
    }

    private static Markup Base(Template html, FleetResult result) => result.BaseSha256 is null ? Markup.None : html.Of($"""
        <p>Made of <strong>{Path.GetFileName(result.Request.Image)}</strong>, SHA-256 <code>{result.BaseSha256}</code></p>
        """);

    private static Markup Row(Template html, Node node, FleetFile file, bool isFirst) => html.Of($"""
        <tr><th scope="row">{(isFirst ? node.Name : "")}</th><td>{(isFirst ? node.Role : "")}</td><td><code>{(isFirst ? string.Join(", ", node.Macs.Select(mac => mac.ToString()).Append(node.Serial ?? "").Where(id => id.Length > 0)) : "")}</code></td><td>{(isFirst ? NodeText.AddressOf(node) : "")}</td><td>{file.Name}</td><td class="number">{Size.Format(file.Size)}</td><td><code>{file.Sha256 ?? "see the block map beside it"}</code></td><td>{Label(node, file)}</td></tr>

        """);

    // What a scanner in front of a rack reads: whose file it is, and which.
    private static Markup Label(Node node, FleetFile file) =>
        QrCode.Of($"{node.Name} {file.Name}{(file.Sha256 is { } sum ? $" sha256:{sum}" : "")}") is { } code ? new Markup(code.ToSvg()) : Markup.None;
}
