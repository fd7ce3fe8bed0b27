using System.Text.Json;

namespace Crust.Machines;

/// <summary>
/// What one of Crust's own guests says about itself over the virtio-serial port, one JSON object a line. A vendor's
/// installer says nothing, which is no failure; a guest that said hello has to say that it is done.
/// </summary>
public abstract record GuestWord
{
    private const int LongestText = 1000;

    private GuestWord()
    {
    }

    /// <summary>A job began. `{"hello":"install"}`.</summary>
    public sealed record Hello(string Job) : GuestWord;

    /// <summary>A job went on; the fraction is between 0 and 1. `{"progress":0.4,"detail":"…"}`.</summary>
    public sealed record Progress(double Fraction, string Detail) : GuestWord;

    /// <summary>Something worth knowing. `{"warning":"…"}`.</summary>
    public sealed record Warning(string Message) : GuestWord;

    /// <summary>The job failed. `{"failed":"…"}`.</summary>
    public sealed record Failed(string Message) : GuestWord;

    /// <summary>The job is done. `{"done":"…"}`.</summary>
    public sealed record Done(string Message) : GuestWord;

    /// <summary>Reads one line; null for anything that isn't a word. A guest is never trusted to speak well.</summary>
    public static GuestWord? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return Text(root, "hello") is { } job ? new Hello(job)
                : Text(root, "failed") is { } failed ? new Failed(failed)
                : Text(root, "done") is { } done ? new Done(done)
                : Text(root, "warning") is { } warning ? new Warning(warning)
                : root.TryGetProperty("progress", out var fraction) && fraction.TryGetDouble(out var value)
                    ? new Progress(Math.Clamp(value, 0, 1), Text(root, "detail") ?? "")
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String && value.GetString() is { } text
            ? text.Length > LongestText ? text[..LongestText] + "…" : text
            : null;
}
