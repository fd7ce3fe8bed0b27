namespace Crust.Spec;

/// <summary>How Crust's own live system starts for a job.</summary>
public enum ApplianceStart
{
    /// <summary>Restored where that is known to be sound and quicker, which is under TCG; booted elsewhere.</summary>
    Auto,

    /// <summary>Restored under KVM, too.</summary>
    Warm,

    /// <summary>Always booted.</summary>
    Boot,
}
