"""Every RPC through a real server: what comes back, what is refused, what is logged."""
