"""The replicated state machine under the controller and the coordinators: decide, replay, append, answer."""
