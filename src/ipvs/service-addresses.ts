/** The interface that has the addresses of services; tools look for the original's name. */
export const interfaceName = 'kube-ipvs0'
