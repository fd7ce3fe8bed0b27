using Crust.Storage;
using Crust.Tools;

namespace Crust.Machines;

/// <summary>Where a log is written while a build runs, and where the user finds it afterwards.</summary>
/// <param name="KeptAs">Named in messages.</param>
internal sealed record LogFile(string Path, string KeptAs)
{
    /// <summary>What the names of serial logs end with.</summary>
    public const string SerialLogExtension = ".serial.log";

    /// <summary>What the names of pictures of a screen end with.</summary>
    public const string ScreenExtension = ".screen.png";

    /// <summary>A log that stays where it is written.</summary>
    public static LogFile At(string path) => new(path, path);

    /// <summary>A log that is written into a draft folder and gets its place in the images folder when the build ends.</summary>
    public static LogFile Draft(string drafts, string finalPath) => new(System.IO.Path.Combine(drafts, System.IO.Path.GetFileName(finalPath)), finalPath);

    /// <summary>Where it is at the moment.</summary>
    public string Now => File.Exists(Path) ? Path : KeptAs;

    /// <summary>Removes what an earlier build has left at its place, if that can be done.</summary>
    public void Drop()
    {
        try
        {
            if (IsOwn)
            {
                File.Delete(KeptAs);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // It is older than this build, as its time shows.
        }
    }

    /// <summary>Moves the log to where it is kept, if that can be written: a log must not hide how its build ended.</summary>
    public void Keep()
    {
        try
        {
            if (Path != KeptAs && File.Exists(Path) && IsOwn)
            {
                OutputFile.Place(Path, KeptAs);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // Whatever made it impossible is what the build's own error is about.
        }
    }

    // Of what a user has put there since, nothing is lost.
    private bool IsOwn => !File.Exists(KeptAs) || OutputFile.IsSigned(KeptAs) is not false || new FileInfo(KeptAs).LinkTarget is not null;
}
