"""The shared vocabulary: kinds, Absent, Fleet, History, View, Alert, Plan. Imports stdlib and msgspec only."""
