package mail

// Kinds are the kinds of messages that have texts.
var Kinds = allKinds
