namespace Crust.Machines;

internal static class GuestLine
{
    // Far more than is shown: what is cut off is no half of a secret in view.
    private const int Longest = 4000;

    /// <summary>As much of a line as may be shown of it.</summary>
    public static string Beginning(string line) => line.Trim() is { Length: > Longest } text ? text[..Longest] : line.Trim();
}
