# A service that is started by step-rekey: here nginx, for others the same.
#
#   docker build -f deploy/nginx.Dockerfile -t web .
FROM step-rekey:latest AS step-rekey

FROM nginxinc/nginx-unprivileged:1.29
COPY --from=step-rekey /usr/local/bin/step-rekey /usr/local/bin/step-rekey
USER root
RUN install -d -o 101 -g 101 -m 0700 /run/tls /run/nginx
USER 101
# Handed on to nginx, which then ends its connections first.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=1m --timeout=10s --start-period=30s \
  CMD ["/usr/local/bin/step-rekey", "status", "/run/tls/host.crt", "/run/tls/host.key"]
ENTRYPOINT ["/usr/local/bin/step-rekey", "run", "/run/tls/host.crt", "/run/tls/host.key", "--"]
CMD ["nginx", "-c", "/run/config/nginx.conf", "-g", "daemon off;"]
